#include <limits>

#include "client/cli/commands/asset_group.h"
#include "client/cli/show/asset_object.h"
#include "client/cli/show/table_style.h"

namespace potok::client {
namespace {

struct AssetListOptions {
  CommonOptions common;
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  int results_max = 50;
  bool all = false;
  bool include_archived = false;
  bool archived_only = false;
};

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

}  // namespace

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

}  // namespace potok::client
