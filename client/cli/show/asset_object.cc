#include "client/cli/show/asset_object.h"

#include <map>

#include "client/cli/show/object_values.h"
#include "client/cli/text/printable.h"
#include "common/pipeline/asset_reference.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

Value AssetLabels(const v1::Asset& asset) {
  Array labels;
  for (const std::string& label : asset.labels()) labels.emplace_back(label);
  return Value(std::move(labels));
}

std::string AssetId(const v1::Asset& asset) {
  return fmt::format("azureml:{}:{}", asset.name(), asset.version());
}

Object HeadMembers(const v1::Asset& asset) {
  return {{"name", asset.name()},
          {"version", asset.version()},
          {"id", AssetId(asset)},
          {"display_name", TextOrNull(asset.display_name())},
          {"description", TextOrNull(asset.description())},
          {"tags", SortedTexts(asset.tags())},
          {"properties", SortedTexts(asset.properties())},
          {"labels", AssetLabels(asset)},
          {"is_archived", asset.archived()},
          {"made_by", TextOrNull(asset.made_by())},
          {"creation_context",
           Object{{"created_at", IsoTime(asset.created_us())},
                  {"created_by", asset.created_by()},
                  {"created_by_type", "User"},
                  {"last_modified_at", IsoTime(asset.modified_us())}}}};
}

Object DocumentMembers(const v1::Asset& asset) {
  const absl::StatusOr<Value> document = ParseJson(asset.document());
  if (!document.ok() || document->AsObject() == nullptr) return {};
  return *document->AsObject();
}

std::string JoinedLabels(const v1::Asset& asset) {
  return fmt::format("{}", fmt::join(asset.labels(), ", "));
}

}  // namespace

std::string NounOf(v1::AssetKind kind) {
  return NameOf(static_cast<AssetKind>(kind));
}

Value AssetObject(const v1::Asset& asset) {
  Object object = HeadMembers(asset);
  for (Member& member : DocumentMembers(asset)) object.push_back(std::move(member));
  return Value(std::move(object));
}

Value AssetDocumentObject(const v1::Asset& asset) {
  Object object = {{"name", asset.name()}, {"version", asset.version()}};
  if (!asset.display_name().empty()) object.emplace_back("display_name", asset.display_name());
  if (!asset.description().empty()) object.emplace_back("description", asset.description());
  if (!asset.tags().empty()) object.emplace_back("tags", SortedTexts(asset.tags()));
  for (Member& member : DocumentMembers(asset)) object.push_back(std::move(member));
  return Value(std::move(object));
}

Value AssetListItem(const v1::Asset& asset, bool is_of_name) {
  Object object = HeadMembers(asset);
  for (Member& member : DocumentMembers(asset)) {
    if (member.first == "type" || member.first == "path") object.push_back(std::move(member));
  }
  if (is_of_name) object.emplace_back("latest version", asset.version());
  return Value(std::move(object));
}

std::string AssetTable(const std::vector<v1::Asset>& assets,
                       absl::TimeZone zone,
                       const TableStyle& style) {
  if (assets.empty()) return "Nothing registered\n";
  std::vector<std::vector<std::string>> rows;
  for (const v1::Asset& asset : assets) {
    std::string description =
        asset.description().empty() ? asset.display_name() : asset.description();
    rows.push_back({asset.name(),
                    asset.version(),
                    JoinedLabels(asset),
                    LocalTime(asset.created_us(), zone),
                    asset.created_by(),
                    asset.archived() ? "archived" : "",
                    std::move(description)});
  }
  return Table({"NAME", "VERSION", "LABELS", "CREATED", "BY", "", "DESCRIPTION"}, rows, style);
}

std::string AssetText(const v1::Asset& asset, absl::TimeZone zone) {
  std::string text = fmt::format("{} {} version {}\n",
                                 NounOf(asset.kind()),
                                 Printable(asset.name()),
                                 Printable(asset.version()));
  const auto add = [&text](const char* what, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<10}{}\n", what, Printable(value));
  };
  add("created",
      LocalTime(asset.created_us(), zone) +
          (asset.created_by().empty() ? "" : " by " + asset.created_by()));
  add("made by", asset.made_by());
  add("labels", JoinedLabels(asset));
  add("title", asset.display_name());
  add("about", asset.description());
  const std::map<std::string, std::string> tags(asset.tags().begin(), asset.tags().end());
  for (const auto& [key, value] : tags) add("tag", key + "=" + value);
  if (asset.archived()) add("archived", "yes: hidden from lists and from latest");
  return text + "\n" + ToYaml(Value(DocumentMembers(asset)));
}

}  // namespace potok::client
