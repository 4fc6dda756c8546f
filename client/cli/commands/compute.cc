#include <algorithm>

#include "client/cli/commands/command.h"
#include "client/cli/commands/compute_file.h"
#include "client/cli/commands/machine_commands.h"
#include "client/cli/register_asset.h"
#include "client/cli/show/pool_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/pools_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::client {
namespace {

// Azure's own options, each with the key of the file that it stands for.
struct ComputeFields {
  std::string type;
  std::string size;
  std::string tier;
  std::string min_instances;
  std::string max_instances;
  std::string idle_time;
  std::string description;

  std::vector<std::string> Assignments() const {
    std::vector<std::string> set;
    const auto add = [&set](const char* key, const std::string& value, bool is_text) {
      if (value.empty()) return;
      set.push_back(is_text ? TextAssignment(key, value) : fmt::format("{}={}", key, value));
    };
    add("type", type, true);
    add("size", size, true);
    add("tier", tier, true);
    add("min_instances", min_instances, false);
    add("max_instances", max_instances, false);
    add("idle_time_before_scale_down", idle_time, false);
    add("description", description, true);
    return set;
  }
};

struct ComputePutOptions {
  CommonOptions common;
  std::string file;
  std::string name;
  ComputeFields fields;
  std::vector<std::string> set;
};

struct ComputeNameOptions {
  CommonOptions common;
  std::string name;
};

int PrintPool(const Context& context, const CommonOptions& options, const v1::Pool& pool) {
  return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, PoolObject(pool), [&] {
    return PoolText(pool, StyleOf(context));
  });
}

void SayWithoutEffect(const Context& context, const LoadedPool& loaded) {
  if (loaded.without_effect.empty() || context.only_errors) return;
  *context.err << fmt::format(
                      "Kept, without effect here: {}. A pool is the machines that its "
                      "selector finds\n",
                      fmt::join(loaded.without_effect, ", "))
               << std::flush;
}

absl::StatusOr<v1::Pool> PutLoaded(const Context& context,
                                   PoolsClient& client,
                                   LoadedPool loaded,
                                   const std::string& what) {
  const int errors = SayDiagnostics(context, loaded.diagnostics);
  if (!loaded.ok) {
    return absl::InvalidArgumentError(
        fmt::format("{} was not registered: {} error(s) in it", what, errors));
  }
  loaded.request.set_by(context.user);
  POTOK_ASSIGN_OR_RETURN(const v1::PutPoolResponse response, client.Put(loaded.request));
  SayWithoutEffect(context, loaded);
  return response.pool();
}

std::vector<std::string> AssignmentsOf(const ComputePutOptions& options, bool with_name) {
  std::vector<std::string> set = options.fields.Assignments();
  if (with_name && !options.name.empty()) set.push_back(TextAssignment("name", options.name));
  set.insert(set.end(), options.set.begin(), options.set.end());
  return set;
}

int RunComputeCreate(Session& session, const ComputePutOptions& options) {
  const Context& context = session.context;
  const std::string file = options.file.empty() ? "" : AbsoluteOption(context, options.file);
  LoadedPool loaded = LoadPoolFile(file, AssignmentsOf(options, /*with_name=*/true));
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  PoolsClient client(connection->channel());
  const std::string what = options.file.empty() ? "the compute" : options.file;
  const auto pool = PutLoaded(context, client, std::move(loaded), what);
  return pool.ok() ? PrintPool(context, options.common, *pool) : Complain(context, pool.status());
}

// Of a pool that is registered what a file says of it instead.
int ReplaceByFile(Session& session, const ComputePutOptions& options) {
  const Context& context = session.context;
  LoadedPool loaded = LoadPoolFile(AbsoluteOption(context, options.file),
                                   AssignmentsOf(options, /*with_name=*/true));
  loaded.request.set_must_exist(true);
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  PoolsClient client(connection->channel());
  const auto pool = PutLoaded(context, client, std::move(loaded), options.file);
  return pool.ok() ? PrintPool(context, options.common, *pool) : Complain(context, pool.status());
}

int RunComputeUpdate(Session& session, const ComputePutOptions& options) {
  const Context& context = session.context;
  if (!options.file.empty()) return ReplaceByFile(session, options);
  if (options.name.empty()) {
    return Complain(context,
                    absl::InvalidArgumentError(
                        "which pool is to be changed? give -n NAME, or -f FILE that names it"));
  }
  const std::vector<std::string> set = AssignmentsOf(options, /*with_name=*/false);
  if (set.empty()) {
    return Complain(
        context,
        absl::InvalidArgumentError(
            "nothing is to be changed; give --set 'selector=zone == b' or limits.gpus=2"));
  }
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  PoolsClient client(connection->channel());
  const absl::StatusOr<v1::Pool> before = client.Get(options.name);
  if (!before.ok()) return Complain(context, before.status());
  const auto pool =
      PutLoaded(context, client, EditPool(*before, set), "pool " + Printable(options.name));
  return pool.ok() ? PrintPool(context, options.common, *pool) : Complain(context, pool.status());
}

int RunComputeList(Session& session, const CommonOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<std::vector<v1::Pool>> pools = PoolsClient(connection->channel()).List();
  if (!pools.ok()) return Complain(context, pools.status());
  Array items;
  for (const v1::Pool& pool : *pools) items.push_back(PoolObject(pool));
  return PrintObject(context, options, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
    return PoolTable(*pools, StyleOf(context));
  });
}

int RunComputeShow(Session& session, const ComputeNameOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Pool> pool = PoolsClient(connection->channel()).Get(options.name);
  return pool.ok() ? PrintPool(context, options.common, *pool) : Complain(context, pool.status());
}

int RunComputeDelete(Session& session, const ComputeNameOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::Status deleted = PoolsClient(connection->channel()).Delete(options.name);
  if (!deleted.ok()) return Complain(context, deleted);
  *context.err << "Deleted the pool " << Printable(options.name) << std::endl;
  return kExitOk;
}

void AddComputeFields(CommandOptions& command, ComputePutOptions* options) {
  command.Text("--type", "TYPE", "amlcompute and the like; kept", &options->fields.type);
  command.Text("--size", "SIZE", "Kept, without effect", &options->fields.size);
  command.Text("--tier",
               "TIER",
               "low_priority: its steps may be stopped for teams that are guaranteed their room",
               &options->fields.tier);
  command.Text("--min-instances", "N", "Kept, without effect", &options->fields.min_instances);
  command.Text("--max-instances", "N", "Kept, without effect", &options->fields.max_instances);
  command.Text("--idle-time-before-scale-down",
               "SECONDS",
               "Kept, without effect",
               &options->fields.idle_time);
  command.Text("--description", "TEXT", "What it is", &options->fields.description);
  command.ManyTexts("--set",
                    "PATH=VALUE",
                    "Changes, as 'selector=zone == b' or limits.running_steps=4",
                    &options->set);
}

void AddComputeNamed(CLI::App& compute,
                     Session& session,
                     const char* name,
                     const char* what,
                     const char* example,
                     int (*run)(Session&, const ComputeNameOptions&),
                     bool prints) {
  const auto options = std::make_shared<ComputeNameOptions>();
  CommandOptions command = AddCommand(compute, session, name, what, example, options, run);
  command.RequiredText("-n,--name", "NAME", "Name of the pool", &options->name);
  if (!prints) command.IgnoredFlag("-y,--yes");
  AddServerOptions(command, &options->common);
  if (prints) AddOutputOptions(command, session, &options->common);
}

}  // namespace

void AddComputeCommands(CLI::App& compute, Session& session) {
  const auto created = std::make_shared<ComputePutOptions>();
  CommandOptions create = AddCommand(
      compute,
      session,
      "create",
      "Register a pool, or replace the one of that name: machines by their labels, with limits",
      "potok compute create -n zone-b --set 'selector=zone == b' limits.running_steps=4",
      created,
      RunComputeCreate);
  create.Text("-f,--file", "FILE", "YAML, Azure's with selector: and limits:", &created->file);
  create.Text("-n,--name", "NAME", "Name, instead of the file's", &created->name);
  AddComputeFields(create, created.get());
  AddServerOptions(create, &created->common);
  AddOutputOptions(create, session, &created->common);

  const auto listed = std::make_shared<CommonOptions>();
  CommandOptions list =
      AddCommand(compute,
                 session,
                 "list",
                 "Pools: registered ones, built-in ones and those that agents declare",
                 "potok compute list",
                 listed,
                 RunComputeList);
  AddServerOptions(list, listed.get());
  AddOutputOptions(list, session, listed.get());

  AddComputeNamed(compute,
                  session,
                  "show",
                  "A pool, its machines and what its steps hold",
                  "potok compute show -n gpu-cluster",
                  RunComputeShow,
                  /*prints=*/true);

  const auto updated = std::make_shared<ComputePutOptions>();
  CommandOptions update = AddCommand(compute,
                                     session,
                                     "update",
                                     "Change a registered pool; what runs goes on",
                                     "potok compute update -n zone-b --set limits.running_steps=8",
                                     updated,
                                     RunComputeUpdate);
  update.Text("-f,--file", "FILE", "YAML that says all of it anew", &updated->file);
  update.Text(
      "-n,--name", "NAME", "Name of the pool; with -f: instead of the file's", &updated->name);
  AddComputeFields(update, updated.get());
  AddServerOptions(update, &updated->common);
  AddOutputOptions(update, session, &updated->common);

  AddComputeNamed(compute,
                  session,
                  "delete",
                  "Delete a registered pool, unless steps that have not begun ask for it",
                  "potok compute delete -n zone-b",
                  RunComputeDelete,
                  /*prints=*/false);
}

}  // namespace potok::client
