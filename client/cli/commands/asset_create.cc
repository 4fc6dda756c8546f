#include "client/cli/commands/asset_commands.h"
#include "client/cli/commands/asset_group.h"
#include "client/cli/show/asset_object.h"
#include "client/cli/text/printable.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

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

}  // namespace potok::client
