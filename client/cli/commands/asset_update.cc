#include "client/cli/commands/asset_group.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct AssetUpdateOptions : AssetOptionsOfOne {
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> add_labels;
  std::vector<std::string> remove_labels;
};

absl::Status CannotBeChanged(const std::string& key, AssetKind kind) {
  return absl::InvalidArgumentError(
      fmt::format("'{0}' cannot be changed: what a version holds stays as it is; create another "
                  "version with `potok {1} create`, or change description, display_name, tags.KEY "
                  "or properties.KEY",
                  key,
                  NameOf(kind)));
}

// "tags.owner" is a key below "tags".
bool IsBelow(const std::string& key, const std::string& map, std::string* inner) {
  if (key.rfind(map + ".", 0) != 0 || key.size() == map.size() + 1) return false;
  *inner = key.substr(map.size() + 1);
  return true;
}

absl::Status SetAssetPart(const std::string& assignment,
                          AssetKind kind,
                          v1::UpdateAssetRequest* out) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not KEY=VALUE, as in --set tags.owner=team", assignment));
  }
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  std::string inner;
  if (key == "description") {
    out->set_description(value);
  } else if (key == "display_name") {
    out->set_display_name(value);
  } else if (IsBelow(key, "tags", &inner)) {
    (*out->mutable_set_tags())[inner] = value;
  } else if (IsBelow(key, "properties", &inner)) {
    (*out->mutable_set_properties())[inner] = value;
  } else if (key == "stage") {
    (*out->mutable_set_properties())["stage"] = value;
  } else {
    return CannotBeChanged(key, kind);
  }
  return absl::OkStatus();
}

absl::Status RemoveAssetPart(const std::string& key, AssetKind kind, v1::UpdateAssetRequest* out) {
  std::string inner;
  if (key == "description") {
    out->set_description("");
  } else if (key == "display_name") {
    out->set_display_name("");
  } else if (IsBelow(key, "tags", &inner)) {
    out->add_remove_tags(inner);
  } else if (IsBelow(key, "properties", &inner)) {
    out->add_remove_properties(inner);
  } else {
    return CannotBeChanged(key, kind);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::UpdateAssetRequest> AssetUpdateOf(const AssetUpdateOptions& options) {
  v1::UpdateAssetRequest request;
  request.set_kind(WireKind(options.kind));
  request.set_name(options.name);
  request.set_version(options.version);
  request.set_label(options.label);
  for (const auto* parts : {&options.set, &options.add}) {
    for (const std::string& part : *parts) {
      POTOK_RETURN_IF_ERROR(SetAssetPart(part, options.kind, &request));
    }
  }
  for (const std::string& key : options.remove) {
    POTOK_RETURN_IF_ERROR(RemoveAssetPart(key, options.kind, &request));
  }
  for (const std::string& label : options.add_labels) request.add_add_labels(label);
  for (const std::string& label : options.remove_labels) request.add_remove_labels(label);
  return request;
}

int RunAssetUpdate(Session& session, const AssetUpdateOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::UpdateAssetRequest> request = AssetUpdateOf(options);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Asset> asset = RegistryClient(connection->channel()).Update(*request);
  if (!asset.ok()) return Complain(context, asset.status());
  return PrintAsset(context, options.common, *asset);
}

}  // namespace

void AddAssetUpdate(const AssetGroup& group) {
  const auto options = std::make_shared<AssetUpdateOptions>();
  options->kind = group.kind;
  CommandOptions update =
      AddCommand(group.app,
                 group.session,
                 "update",
                 "Change what is said about a version: description, tags, labels",
                 group.Example("update -n my_" + group.noun + " -v 2 --set tags.owner=team"),
                 options,
                 RunAssetUpdate);
  AddChoiceOptions(update, "Version (default: the latest)", options.get());
  update.ManyTexts(
      "--set", "KEY=VALUE", "description, display_name, tags.KEY, properties.KEY", &options->set);
  update.ManyTexts("--add", "KEY=VALUE", "The same", &options->add);
  update.ManyTexts("--remove", "KEY", "As tags.owner", &options->remove);
  update.ManyTexts(
      "--add-label", "LABEL", "Move these labels to this version", &options->add_labels);
  update.ManyTexts("--remove-label", "LABEL", "Take these labels off it", &options->remove_labels);
  AddRegistryOptions(update, &options->common);
  AddOutputOptions(update, group.session, &options->common);
}

}  // namespace potok::client
