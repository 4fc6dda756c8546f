#include "client/cli/commands/asset_commands.h"

#include <filesystem>
#include <limits>
#include <map>

#include "client/cli/show/asset_object.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/registry_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// One version of one kind.
struct AssetOptionsOfOne {
  CommonOptions common;
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;
  std::string label;
};

struct AssetListOptions {
  CommonOptions common;
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  int results_max = 50;
  bool all = false;
  bool include_archived = false;
  bool archived_only = false;
};

struct AssetUpdateOptions : AssetOptionsOfOne {
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> add_labels;
  std::vector<std::string> remove_labels;
};

struct AssetDownloadOptions : AssetOptionsOfOne {
  std::string folder;
};

v1::AssetKind WireKind(AssetKind kind) {
  return static_cast<v1::AssetKind>(kind);
}

absl::StatusOr<v1::Asset> FindAssetOf(const Connection& connection,
                                      const AssetOptionsOfOne& options) {
  v1::GetAssetRequest request;
  request.set_kind(WireKind(options.kind));
  request.set_name(options.name);
  request.set_version(options.version);
  request.set_label(options.label);
  return RegistryClient(connection.channel()).Get(request);
}

int PrintAsset(const Context& context, const CommonOptions& options, const v1::Asset& asset) {
  return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, AssetObject(asset), [&] {
    return AssetText(asset, context.zone);
  });
}

void AddAssignment(const std::string& key, const std::string& value, AssetSource* source) {
  if (!value.empty()) source->set.push_back(TextAssignment(key, value));
}

absl::Status AddTagAssignments(const std::vector<std::string>& tags, AssetSource* source) {
  Object object;
  for (const std::string& tag : tags) {
    const std::size_t equals = tag.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(fmt::format("--tags {}: write KEY=VALUE", tag));
    }
    object.emplace_back(tag.substr(0, equals), tag.substr(equals + 1));
  }
  if (!object.empty()) source->set.push_back("tags=" + ToCompactJson(Value(std::move(object))));
  return absl::OkStatus();
}

absl::StatusOr<int> CreateAsset(const Context& context, const AssetCreateOptions& options) {
  AssetSource source = options.source;
  AddAssignment("name", options.name, &source);
  AddAssignment("version", options.version, &source);
  AddAssignment("description", options.description, &source);
  for (const auto& [key, value] : options.fields) AddAssignment(key, value, &source);
  for (const auto& [key, path] : options.paths) {
    if (!path.empty()) AddAssignment(key, AbsoluteOption(context, path), &source);
  }
  POTOK_RETURN_IF_ERROR(AddTagAssignments(options.tags, &source));
  source.set.insert(source.set.end(), options.set.begin(), options.set.end());
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const v1::CreateAssetResponse created,
                         RegisterAsset(context, connection, source));
  if (!created.created() && !context.only_errors) {
    *context.err << fmt::format("{} {}:{} is registered already, with this content\n",
                                NounOf(created.asset().kind()),
                                Printable(created.asset().name()),
                                Printable(created.asset().version()))
                 << std::flush;
  }
  return PrintAsset(context, options.common, created.asset());
}

int RunAssetCreate(Session& session, const AssetCreateOptions& options) {
  const absl::StatusOr<int> code = CreateAsset(session.context, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

int RunAssetList(Session& session, const AssetListOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  v1::ListAssetsRequest request;
  request.set_kind(WireKind(options.kind));
  request.set_name(options.name);
  if (options.include_archived) request.set_archived(v1::ARCHIVED_FILTER_ALL);
  if (options.archived_only) request.set_archived(v1::ARCHIVED_FILTER_ONLY);
  const std::size_t max = options.all ? std::numeric_limits<std::size_t>::max()
                                      : static_cast<std::size_t>(options.results_max);
  const absl::StatusOr<std::vector<v1::Asset>> assets =
      RegistryClient(connection->channel()).List(request, max);
  if (!assets.ok()) return Complain(context, assets.status());
  Array items;
  for (const v1::Asset& asset : *assets) {
    items.push_back(AssetListItem(asset, options.name.empty()));
  }
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
        return AssetTable(*assets, context.zone, StyleOf(context));
      });
}

int RunAssetShow(Session& session, const AssetOptionsOfOne& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Asset> asset = FindAssetOf(*connection, options);
  if (!asset.ok()) return Complain(context, asset.status());
  return PrintAsset(context, options.common, *asset);
}

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

int SetAssetArchived(const Context& context, const AssetOptionsOfOne& options, bool archived) {
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  v1::ArchiveAssetRequest request;
  request.set_kind(WireKind(options.kind));
  request.set_name(options.name);
  request.set_version(options.version);
  request.set_label(options.label);
  RegistryClient registry(connection->channel());
  const absl::StatusOr<int> changed =
      archived ? registry.Archive(request) : registry.Restore(request);
  if (!changed.ok()) return Complain(context, changed.status());
  if (!context.only_errors) {
    *context.err << fmt::format("{} {}: {} version{} {}\n",
                                NameOf(options.kind),
                                Printable(options.name),
                                *changed,
                                *changed == 1 ? "" : "s",
                                archived ? "archived" : "restored")
                 << std::flush;
  }
  return kExitOk;
}

int RunAssetArchive(Session& session, const AssetOptionsOfOne& options) {
  return SetAssetArchived(session.context, options, /*archived=*/true);
}

int RunAssetRestore(Session& session, const AssetOptionsOfOne& options) {
  return SetAssetArchived(session.context, options, /*archived=*/false);
}

absl::Status DownloadOne(const Context& context, const AssetDownloadOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const v1::Asset asset, FindAssetOf(connection, options));
  const std::string target =
      (std::filesystem::path(context.working_folder) / options.folder / asset.name())
          .lexically_normal()
          .string();
  POTOK_RETURN_IF_ERROR(DownloadAsset(context, connection, asset, target));
  *context.out << "Downloaded " << Printable(target) << std::endl;
  return absl::OkStatus();
}

int RunAssetDownload(Session& session, const AssetDownloadOptions& options) {
  const absl::Status downloaded = DownloadOne(session.context, options);
  return downloaded.ok() ? kExitOk : Complain(session.context, downloaded);
}

void AddRegistryOptions(CommandOptions& command, CommonOptions* options) {
  AddServerOptions(command, options);
  command.IgnoredText("--registry-name", "NAME");
}

// -n, -v and -l. The pointers of `options` must outlive the parser.
void AddChoiceOptions(CommandOptions& command, const char* versions, AssetOptionsOfOne* options) {
  command.RequiredText("-n,--name", "NAME", "Name", &options->name);
  command.Text("-v,--version", "VERSION", versions, &options->version);
  command.Text("-l,--label", "LABEL", "The version that this label is at", &options->label);
  command.Exclude("--version", "--label");
}

struct AssetGroup {
  CLI::App& app;
  Session& session;
  AssetKind kind;
  std::string noun;

  std::string Example(const std::string& words) const { return "potok " + noun + " " + words; }
};

void AddAssetList(const AssetGroup& group) {
  const auto options = std::make_shared<AssetListOptions>();
  options->kind = group.kind;
  CommandOptions list = AddCommand(group.app,
                                   group.session,
                                   "list",
                                   "The latest version of each name, or the versions of one",
                                   group.Example("list -n my_" + group.noun + " -o table"),
                                   options,
                                   RunAssetList);
  list.Text("-n,--name", "NAME", "All versions of this name, newest first", &options->name);
  list.Number("-r,--max-results", "COUNT", "At most so many (50)", 1, &options->results_max);
  list.Flag("--all-results", "All of them", &options->all);
  list.Flag("--include-archived", "Those that are archived, too", &options->include_archived);
  list.Flag("--archived-only", "Only those", &options->archived_only);
  AddRegistryOptions(list, &options->common);
  AddOutputOptions(list, group.session, &options->common);
}

void AddAssetShow(const AssetGroup& group) {
  const auto options = std::make_shared<AssetOptionsOfOne>();
  options->kind = group.kind;
  CommandOptions show = AddCommand(group.app,
                                   group.session,
                                   "show",
                                   "One version: what it holds, who made it and when",
                                   group.Example("show -n my_" + group.noun + " --label latest"),
                                   options,
                                   RunAssetShow);
  AddChoiceOptions(show, "Version (default: the latest)", options.get());
  AddRegistryOptions(show, &options->common);
  AddOutputOptions(show, group.session, &options->common);
}

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

void AddArchiveAndRestore(const AssetGroup& group) {
  const auto archived = std::make_shared<AssetOptionsOfOne>();
  archived->kind = group.kind;
  CommandOptions archive = AddCommand(group.app,
                                      group.session,
                                      "archive",
                                      "Hide versions from lists and from the label latest",
                                      group.Example("archive -n my_" + group.noun + " -v 1"),
                                      archived,
                                      RunAssetArchive);
  AddChoiceOptions(archive, "Version (default: all of the name)", archived.get());
  AddRegistryOptions(archive, &archived->common);
  const auto restored = std::make_shared<AssetOptionsOfOne>();
  restored->kind = group.kind;
  CommandOptions restore = AddCommand(group.app,
                                      group.session,
                                      "restore",
                                      "Show archived versions again",
                                      group.Example("restore -n my_" + group.noun + " -v 1"),
                                      restored,
                                      RunAssetRestore);
  AddChoiceOptions(restore, "Version (default: all of the name)", restored.get());
  AddRegistryOptions(restore, &restored->common);
}

void AddAssetDownload(const AssetGroup& group) {
  const auto options = std::make_shared<AssetDownloadOptions>();
  options->kind = group.kind;
  const bool is_data = group.kind == AssetKind::kData || group.kind == AssetKind::kModel;
  CommandOptions download =
      AddCommand(group.app,
                 group.session,
                 "download",
                 is_data ? "Bring a version's files to this machine, into a folder of its name"
                         : "Bring a version to this machine as YAML, with the files it names",
                 group.Example("download -n my_" + group.noun + " -v 1 -p ./got"),
                 options,
                 RunAssetDownload);
  AddChoiceOptions(download, "Version (default: the latest)", options.get());
  download.Text(
      "-p,--download-path", "FOLDER", "Folder (default: the current one)", &options->folder);
  AddRegistryOptions(download, &options->common);
}

}  // namespace

CommandOptions AddAssetCreate(CLI::App& group,
                              Session& session,
                              const std::shared_ptr<AssetCreateOptions>& options,
                              const char* example,
                              bool file_is_required) {
  const std::string noun = NameOf(options->source.kind);
  CommandOptions create = AddCommand(group,
                                     session,
                                     "create",
                                     "Register a version; the same content again is no error",
                                     example,
                                     options,
                                     RunAssetCreate);
  if (file_is_required) {
    create.RequiredText("-f,--file", "FILE", "YAML", &options->source.file);
  } else {
    create.Text("-f,--file", "FILE", "YAML", &options->source.file);
  }
  create.Text("-n,--name", "NAME", "Name, instead of the file's", &options->name);
  create.Text("-v,--version", "VERSION", "Version (default: the next number)", &options->version);
  create.Text("--description", "TEXT", "What it is", &options->description);
  create.ManyTexts("--tags", "KEY=VALUE", "Tags, instead of the file's", &options->tags);
  create.ManyTexts("--set", "PATH=VALUE", "Changes of the file, as version=2", &options->set);
  AddRegistryOptions(create, &options->common);
  AddOutputOptions(create, session, &options->common);
  return create;
}

void AddAssetCommands(CLI::App& app, Session& session, AssetKind kind) {
  const AssetGroup group{app, session, kind, NameOf(kind)};
  AddAssetList(group);
  AddAssetShow(group);
  AddAssetUpdate(group);
  AddArchiveAndRestore(group);
  if (kind != AssetKind::kDatastore) AddAssetDownload(group);
}

}  // namespace potok::client
