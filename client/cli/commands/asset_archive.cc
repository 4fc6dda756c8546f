#include "client/cli/commands/asset_group.h"
#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

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

}  // namespace

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

}  // namespace potok::client
