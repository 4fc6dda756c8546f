#include "common/pipeline/asset_reference.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "fmt/format.h"

namespace potok {

namespace {

constexpr char kAzureml[] = "azureml:";

bool HasPrefix(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

std::vector<std::string> SegmentsOf(const std::string& path) {
  std::vector<std::string> segments;
  std::string segment;
  for (const char c : path + "/") {
    if (c != '/') {
      segment += c;
    } else if (!segment.empty()) {
      segments.push_back(std::move(segment));
      segment.clear();
    }
  }
  return segments;
}

std::optional<AssetKind> KindOfCollection(const std::string& word) {
  static const std::map<std::string, AssetKind> kinds = {{"components", AssetKind::kComponent},
                                                         {"environments", AssetKind::kEnvironment},
                                                         {"data", AssetKind::kData},
                                                         {"models", AssetKind::kModel},
                                                         {"datastores", AssetKind::kDatastore}};
  const auto kind = kinds.find(word);
  return kind == kinds.end() ? std::nullopt : std::optional(kind->second);
}

// A message shows at most this much of what somebody wrote.
std::string Shown(const std::string& text) {
  return text.size() <= 200 ? text : text.substr(0, 200) + "...";
}

absl::Status Refused(const std::string& text, const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' names nothing that is registered: {}; write azureml:NAME:VERSION or "
                  "azureml:NAME@latest",
                  Shown(text),
                  why));
}

void SetVersion(const std::string& version, AssetReference* reference) {
  if (version == kLatest) {
    reference->label = kLatest;
  } else {
    reference->version = version;
  }
}

absl::StatusOr<AssetReference> ParseLongForm(const std::string& text, const std::string& path) {
  std::vector<std::string> segments = SegmentsOf(path);
  AssetReference reference;
  if (segments.size() >= 2 && segments[0] == "registries") reference.registry = segments[1];
  const std::size_t count = segments.size();
  if (count >= 3 && segments[count - 2] == "versions") {
    SetVersion(segments[count - 1], &reference);
    segments.resize(count - 2);
  } else if (count >= 3 && segments[count - 2] == "labels") {
    reference.label = segments[count - 1];
    segments.resize(count - 2);
  } else {
    reference.label = kLatest;
  }
  if (segments.size() >= 2) reference.kind = KindOfCollection(segments[segments.size() - 2]);
  if (!reference.kind.has_value()) {
    return Refused(text, "it does not end in components, environments, data or models and a name");
  }
  reference.name = segments.back();
  return reference;
}

absl::StatusOr<AssetReference> ParseShortForm(const std::string& text, const std::string& rest) {
  AssetReference reference;
  const std::size_t colon = rest.rfind(':');
  const std::size_t at = rest.rfind('@');
  if (colon != std::string::npos) {
    reference.name = rest.substr(0, colon);
    SetVersion(rest.substr(colon + 1), &reference);
    if (reference.version.empty() && reference.label.empty()) {
      return Refused(text, "there is no version behind the colon");
    }
  } else if (at != std::string::npos) {
    reference.name = rest.substr(0, at);
    reference.label = rest.substr(at + 1);
    if (reference.label.empty()) return Refused(text, "there is no label behind the @");
  } else {
    reference.name = rest;
    reference.label = kLatest;
  }
  return reference;
}

bool IsWord(const std::string& text, std::size_t length_max, bool may_have_dots) {
  return !text.empty() && text.size() <= length_max &&
         std::ranges::all_of(text, [may_have_dots](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '-' || (may_have_dots && c == '.');
         });
}

}  // namespace

const char* NameOf(AssetKind kind) {
  switch (kind) {
    case AssetKind::kComponent:
      return "component";
    case AssetKind::kEnvironment:
      return "environment";
    case AssetKind::kData:
      return "data";
    case AssetKind::kModel:
      return "model";
    case AssetKind::kDatastore:
      return "datastore";
  }
  return "";
}

bool IsRegistered(const std::string& text) {
  if (!HasPrefix(text, kAzureml)) return false;
  const std::string rest = text.substr(sizeof kAzureml - 1);
  if (HasPrefix(rest, "//")) {
    const std::vector<std::string> segments = SegmentsOf(rest);
    if (segments.empty() || segments[0] == "datastores" || segments[0] == "jobs") return false;
    return std::ranges::find(segments, "datastores") == segments.end() &&
           std::ranges::find(segments, "jobs") == segments.end();
  }
  return rest.find("://") == std::string::npos;
}

absl::StatusOr<AssetReference> ParseAssetReference(const std::string& text) {
  if (!IsRegistered(text)) return Refused(text, "it does not begin with azureml:");
  const std::string rest = text.substr(sizeof kAzureml - 1);
  absl::StatusOr<AssetReference> reference =
      HasPrefix(rest, "/") ? ParseLongForm(text, rest) : ParseShortForm(text, rest);
  if (!reference.ok()) return reference;
  if (!IsWord(reference->name, 255, true)) {
    return Refused(text,
                   fmt::format("'{}' is no name, which has up to 255 letters, digits, '_', '-' "
                               "and '.'",
                               Shown(reference->name)));
  }
  if (!IsWord(reference->version.empty() ? reference->label : reference->version, 64, true)) {
    return Refused(text, "a version or label has up to 64 letters, digits, '_', '-' and '.'");
  }
  return reference;
}

std::string ToString(const AssetReference& reference) {
  return reference.version.empty() ? reference.name + "@" + reference.label
                                   : reference.name + ":" + reference.version;
}

absl::Status CheckAssetName(AssetKind kind, const std::string& name) {
  const bool is_datastore = kind == AssetKind::kDatastore;
  const bool good =
      IsWord(name, is_datastore ? 64 : 255, !is_datastore) && name[0] != '.' && name[0] != '-';
  if (good) return absl::OkStatus();
  if (name.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("the {0} has no name; write name: in its file, or give --name", NameOf(kind)));
  }
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no name of a {}: use up to {} letters, digits, '_' and '-'{}, and begin "
                  "with a letter, a digit or '_'",
                  Shown(name),
                  NameOf(kind),
                  is_datastore ? 64 : 255,
                  is_datastore ? "" : ", also '.'"));
}

absl::Status CheckAssetVersion(const std::string& version) {
  if (version == kLatest) {
    return absl::InvalidArgumentError(
        "'latest' is no version: it is the label of the one created last; write another, or none "
        "for the next number");
  }
  if (IsWord(version, 64, true)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is no version: use up to 64 letters, digits, '_', '-' and '.'", Shown(version)));
}

}  // namespace potok
