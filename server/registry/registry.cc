#include "server/registry/registry.h"

#include <algorithm>
#include <utility>

#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/pipeline/artifact_reference.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"
#include "server/artifacts/folders.h"
#include "server/registry/document.h"

namespace potok::server {

namespace {

constexpr std::size_t kDifferencesShown = 20;
constexpr std::size_t kFilesShown = 10;
constexpr std::size_t kTextBytesMax = 64 << 10;
constexpr std::size_t kTagsMax = 1000;
// How many names are looked at for one that is near, and versions are shown.
constexpr int kNamesLookedAt = 1000;
constexpr std::size_t kVersionsShown = 10;

bool BeginsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

bool IsRunOutput(const std::string& path) {
  return BeginsWith(path, "azureml://jobs/") || BeginsWith(path, "runs:/");
}

absl::Status CheckText(const char* what, const std::string& text) {
  if (text.size() > kTextBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} has {} bytes, and {} are allowed", what, text.size(), kTextBytesMax));
  }
  if (text.find('\0') == std::string::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} holds a zero byte", what));
}

absl::Status CheckTexts(const char* what, const std::map<std::string, std::string>& texts) {
  if (texts.size() > kTagsMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} {} are too many; {} are allowed", texts.size(), what, kTagsMax));
  }
  for (const auto& [key, value] : texts) {
    if (key.empty()) return absl::InvalidArgumentError(fmt::format("{}: a key is empty", what));
    POTOK_RETURN_IF_ERROR(CheckText(what, key));
    POTOK_RETURN_IF_ERROR(CheckText(what, value));
  }
  return absl::OkStatus();
}

// "x" of "'x'", as differences show texts.
std::string Unquoted(const std::string& text) {
  return text.size() < 2 || text[0] != '\'' ? text : text.substr(1, text.size() - 2);
}

absl::Status CheckLabel(const std::string& label) {
  if (label == kLatest) {
    return absl::InvalidArgumentError(
        "the label 'latest' always is at the version that was created last");
  }
  const absl::Status checked = CheckAssetVersion(label);
  if (checked.ok()) return checked;
  return absl::InvalidArgumentError("a label has up to 64 letters, digits, '_', '-' and '.'");
}

absl::Status CheckLabels(const std::vector<std::string>& labels) {
  for (const std::string& label : labels) POTOK_RETURN_IF_ERROR(CheckLabel(label));
  return absl::OkStatus();
}

absl::Status CheckChange(const AssetChange& change) {
  POTOK_RETURN_IF_ERROR(CheckText("description", change.description.value_or("")));
  POTOK_RETURN_IF_ERROR(CheckText("display_name", change.display_name.value_or("")));
  POTOK_RETURN_IF_ERROR(CheckTexts("tags", change.set_tags));
  POTOK_RETURN_IF_ERROR(CheckTexts("properties", change.set_properties));
  for (const auto* texts : {&change.remove_tags, &change.remove_properties}) {
    for (const std::string& text : *texts) POTOK_RETURN_IF_ERROR(CheckText("tags", text));
  }
  return absl::OkStatus();
}

AssetRow RowOf(NewAsset asset, std::vector<std::string> artifacts, std::int64_t now_us) {
  AssetRow row;
  row.kind = asset.kind;
  row.name = std::move(asset.name);
  row.version = std::move(asset.version);
  row.document = std::move(asset.document);
  row.artifacts = std::move(artifacts);
  row.description = std::move(asset.description);
  row.display_name = std::move(asset.display_name);
  row.tags = std::move(asset.tags);
  row.properties = std::move(asset.properties);
  row.created_us = now_us;
  row.modified_us = now_us;
  row.created_by = std::move(asset.created_by);
  row.origin = asset.origin.empty() ? "create/" + RandomId(20) : std::move(asset.origin);
  row.made_by = std::move(asset.made_by);
  return row;
}

}  // namespace

absl::Status Registry::CheckArtifacts(const std::vector<std::string>& artifacts) {
  for (const std::string& text : artifacts) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, ParseArtifactReference(text));
    POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, artifacts_.MissingOf(artifact));
    if (missing.empty()) continue;
    return absl::FailedPreconditionError(
        fmt::format("{} of the files of {} are not in the store (for example {}); upload them "
                    "before registering",
                    missing.size(),
                    text,
                    missing.front().Hex()));
  }
  return absl::OkStatus();
}

absl::Status Registry::Settle(NewAsset* asset) {
  POTOK_RETURN_IF_ERROR(CheckAssetName(asset->kind, asset->name));
  if (asset->kind == AssetKind::kDatastore && asset->version.empty()) asset->version = "1";
  if (!asset->version.empty()) POTOK_RETURN_IF_ERROR(CheckAssetVersion(asset->version));
  POTOK_RETURN_IF_ERROR(CheckDocument(asset->kind, asset->document));
  POTOK_RETURN_IF_ERROR(CheckText("description", asset->description));
  POTOK_RETURN_IF_ERROR(CheckText("display_name", asset->display_name));
  POTOK_RETURN_IF_ERROR(CheckTexts("tags", asset->tags));
  POTOK_RETURN_IF_ERROR(CheckTexts("properties", asset->properties));
  const bool has_path = asset->kind == AssetKind::kData || asset->kind == AssetKind::kModel;
  return has_path ? SettlePath(asset) : absl::OkStatus();
}

absl::Status Registry::SettlePath(NewAsset* asset) {
  const std::string path = TextOf(asset->document, "path");
  if (IsRunOutput(path)) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, find_output_(path));
    asset->document = WithText(asset->document, "path", ArtifactReference(artifact));
    asset->properties.emplace("potok.source", path);
  } else if (IsRegistered(path)) {
    return absl::InvalidArgumentError(
        fmt::format("the path '{}' is another registered version; name its own path", path));
  } else if (BeginsWith(path, "azureml://")) {
    return datastores_.Check(path);
  } else if (!IsArtifactReference(path) && path.find("://") == std::string::npos) {
    return absl::InvalidArgumentError(fmt::format(
        "the path '{}' is no address: files of a machine are uploaded first, and then named as "
        "potok-artifact:SHA256/BYTES",
        path));
  }
  return absl::OkStatus();
}

absl::Status Registry::Conflict(const NewAsset& asset, const AssetRow& row) {
  const std::vector<Difference> differences =
      DifferencesOf(row.document, asset.document, kDifferencesShown);
  std::string text = fmt::format(
      "{} {}:{} is already registered with other content, by {}; give this one another version, or "
      "none for the next number:",
      NameOf(row.kind),
      row.name,
      row.version,
      row.created_by.empty() ? "somebody" : row.created_by);
  for (const Difference& difference : differences) {
    text += "\n  " + ToString(difference);
    const auto before = ParseArtifactReference(Unquoted(difference.before));
    const auto after = ParseArtifactReference(Unquoted(difference.after));
    if (!before.ok() || !after.ok()) continue;
    // Only said where it can be: bytes may be away.
    const auto files = FilesThatDiffer(artifacts_, *before, *after, kFilesShown);
    if (!files.ok()) continue;
    for (const std::string& file : *files) text += "\n    " + file;
  }
  return absl::AlreadyExistsError(text);
}

absl::StatusOr<CreatedAsset> Registry::MeetExisting(const NewAsset& asset) {
  POTOK_ASSIGN_OR_RETURN(AssetRow row, assets_.Get(asset.kind, asset.name, asset.version));
  if (DifferencesOf(row.document, asset.document, 1).empty()) {
    return CreatedAsset{std::move(row), false};
  }
  return Conflict(asset, row);
}

absl::StatusOr<CreatedAsset> Registry::Create(NewAsset asset) {
  POTOK_RETURN_IF_ERROR(Settle(&asset));
  std::vector<std::string> artifacts = ArtifactsIn(asset.document);
  POTOK_RETURN_IF_ERROR(CheckArtifacts(artifacts));
  // Before it is claimed, so that whoever finds the name finds the folder.
  if (asset.kind == AssetKind::kDatastore) POTOK_RETURN_IF_ERROR(datastores_.Make(asset.name));
  auto inserted =
      assets_.Insert(RowOf(asset, std::move(artifacts), absl::ToUnixMicros(clock_.Now())));
  if (absl::IsAlreadyExists(inserted.status())) return MeetExisting(asset);
  if (!inserted.ok()) return inserted.status();
  return CreatedAsset{*std::move(inserted), true};
}

absl::Status Registry::NoSuch(const AssetChoice& choice) {
  const std::string what = fmt::format("{} '{}'", NameOf(choice.kind), choice.name);
  AssetFilter filter;
  filter.kind = choice.kind;
  filter.archived = Archived::kAll;
  filter.limit = kNamesLookedAt;
  filter.name = choice.name;
  POTOK_ASSIGN_OR_RETURN(const std::vector<AssetRow> versions, assets_.List(filter));
  if (versions.empty()) {
    filter.name.clear();
    POTOK_ASSIGN_OR_RETURN(const std::vector<AssetRow> others, assets_.List(filter));
    std::vector<std::string> names;
    names.reserve(others.size());
    for (const AssetRow& other : others) names.push_back(other.name);
    return absl::NotFoundError(fmt::format("{} is not registered{}; `potok {} list` shows what is",
                                           what,
                                           SuggestionFor(choice.name, names),
                                           NameOf(choice.kind)));
  }
  std::vector<std::string> known;
  for (const AssetRow& row : versions) {
    if (!choice.version.empty()) known.push_back(row.version);
    if (choice.version.empty()) known.insert(known.end(), row.labels.begin(), row.labels.end());
  }
  if (choice.version.empty() && choice.label == kLatest) {
    return absl::NotFoundError(
        fmt::format("every version of {} is archived; name one exactly, as {}:{}, or restore one",
                    what,
                    choice.name,
                    versions.front().version));
  }
  const std::string more = known.size() > kVersionsShown ? ", ..." : "";
  known.resize(std::min(known.size(), kVersionsShown));
  return absl::NotFoundError(fmt::format("{} has no {} '{}'; it has {}{}",
                                         what,
                                         choice.version.empty() ? "label" : "version",
                                         choice.version.empty() ? choice.label : choice.version,
                                         fmt::join(known, ", "),
                                         more));
}

absl::StatusOr<AssetRow> Registry::Get(const AssetChoice& choice) {
  POTOK_RETURN_IF_ERROR(CheckAssetName(choice.kind, choice.name));
  if (!choice.version.empty() && !choice.label.empty()) {
    return absl::InvalidArgumentError("give a version or a label, not both");
  }
  AssetChoice exact = choice;
  if (exact.version == kLatest) exact.version.clear();
  if (exact.version.empty() && exact.label.empty()) exact.label = kLatest;
  POTOK_RETURN_IF_ERROR(CheckText("version", exact.version));
  POTOK_RETURN_IF_ERROR(CheckText("label", exact.label));
  auto row = exact.version.empty() ? assets_.GetByLabel(exact.kind, exact.name, exact.label)
                                   : assets_.Get(exact.kind, exact.name, exact.version);
  if (absl::IsNotFound(row.status())) return NoSuch(exact);
  return row;
}

absl::StatusOr<std::vector<AssetRow>> Registry::List(const AssetFilter& filter) {
  if (!filter.name.empty()) POTOK_RETURN_IF_ERROR(CheckAssetName(filter.kind, filter.name));
  return assets_.List(filter);
}

absl::StatusOr<AssetRow> Registry::Update(const AssetChoice& choice,
                                          AssetChange change,
                                          const std::vector<std::string>& add_labels,
                                          const std::vector<std::string>& remove_labels) {
  POTOK_RETURN_IF_ERROR(CheckChange(change));
  POTOK_RETURN_IF_ERROR(CheckLabels(add_labels));
  POTOK_RETURN_IF_ERROR(CheckLabels(remove_labels));
  POTOK_ASSIGN_OR_RETURN(const AssetRow row, Get(choice));
  for (const std::string& label : add_labels) {
    POTOK_RETURN_IF_ERROR(assets_.SetLabel(row.kind, row.name, label, row.version));
  }
  for (const std::string& label : remove_labels) {
    if (std::ranges::find(row.labels, label) == row.labels.end()) continue;
    POTOK_RETURN_IF_ERROR(assets_.SetLabel(row.kind, row.name, label, std::nullopt));
  }
  change.modified_us = absl::ToUnixMicros(clock_.Now());
  return assets_.Update(row.kind, row.name, row.version, change);
}

absl::StatusOr<int> Registry::SetArchived(const AssetChoice& choice, bool archived) {
  std::optional<std::string> version;
  if (!choice.version.empty() || !choice.label.empty()) {
    POTOK_ASSIGN_OR_RETURN(const AssetRow row, Get(choice));
    version = row.version;
  } else {
    POTOK_RETURN_IF_ERROR(CheckAssetName(choice.kind, choice.name));
  }
  const std::int64_t now_us = absl::ToUnixMicros(clock_.Now());
  auto changed = assets_.SetArchived(choice.kind, choice.name, version, archived, now_us);
  if (absl::IsNotFound(changed.status())) return NoSuch(choice);
  return changed;
}

absl::StatusOr<AssetRow> Registry::Resolve(AssetKind kind, const std::string& reference) {
  POTOK_ASSIGN_OR_RETURN(const AssetReference parsed, ParseAssetReference(reference));
  return Get({kind, parsed.name, parsed.version, parsed.label});
}

absl::Status Registry::AdoptDatastores() {
  for (const std::string& name : datastores_.Names()) {
    NewAsset datastore;
    datastore.kind = AssetKind::kDatastore;
    datastore.name = name;
    datastore.version = "1";
    datastore.document = R"({"type":"folder"})";
    datastore.created_by = "potok-server";
    const auto known = assets_.Get(AssetKind::kDatastore, name, "1");
    if (known.ok()) continue;
    if (!absl::IsNotFound(known.status())) return known.status();
    POTOK_RETURN_IF_ERROR(Create(std::move(datastore)).status());
  }
  return absl::OkStatus();
}

}  // namespace potok::server
