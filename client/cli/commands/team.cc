#include <utility>

#include "absl/strings/numbers.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/team_pools.h"
#include "client/cli/show/table_style.h"
#include "client/cli/show/team_text.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/teams_client.h"
#include "common/base/age.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct TeamOptions {
  CommonOptions common;
  std::string name;
};

struct TeamEditOptions {
  CommonOptions common;
  std::string name;
  bool is_new = false;
  std::string weight;
  std::string half_life;
  std::string max_cpus;
  std::string max_memory;
  std::string max_gpus;
  std::string max_steps;
  std::string max_steps_per_user;
  std::string guaranteed_cpus;
  std::string guaranteed_memory;
  std::string guaranteed_gpus;
  std::vector<std::string> add_users;
  std::vector<std::string> remove_users;
  std::vector<std::string> pool_limits;
  std::vector<std::string> pool_guaranteed;
};

constexpr std::int64_t kWithoutLimit = -1;

absl::Status WrongValue(const char* option, const std::string& text, const char* example) {
  return absl::InvalidArgumentError(
      fmt::format("{} '{}' is none; write {}", option, text, example));
}

// An amount as `parse` reads it; "none" is `none`. Nothing where nothing is given.
template <class Parse, class Set>
absl::Status TakeAmount(const char* option,
                        const std::string& text,
                        std::int64_t none,
                        const Parse& parse,
                        const Set& set) {
  if (text.empty()) return absl::OkStatus();
  if (text == "none") {
    set(none);
    return absl::OkStatus();
  }
  const auto amount = parse(text);
  if (!amount.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{} '{}': {}", option, text, std::string(amount.status().message())));
  }
  set(std::int64_t{*amount});
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> ParseStepCount(const std::string& text) {
  std::int64_t count = 0;
  if (absl::SimpleAtoi(text, &count) && count >= 0) return count;
  return absl::InvalidArgumentError("write a whole number from 0, or none");
}

// Thousandths of any number of GPUs: two halves are one.
absl::StatusOr<std::int64_t> ParseGpusOfTeam(const std::string& text) {
  POTOK_ASSIGN_OR_RETURN(const std::int32_t millis, ParseCpuMillis(text));
  return std::int64_t{millis};
}

absl::Status TakeLimits(const TeamEditOptions& options, v1::EditTeamRequest* request) {
  const std::int64_t none = kWithoutLimit;
  v1::EditTeamRequest& to = *request;
  POTOK_RETURN_IF_ERROR(
      TakeAmount("--max-cpus", options.max_cpus, none, ParseCpuMillis, [&](std::int64_t value) {
        to.set_cpu_millis_max(value);
      }));
  POTOK_RETURN_IF_ERROR(
      TakeAmount("--max-memory", options.max_memory, none, ParseBytes, [&](std::int64_t value) {
        to.set_memory_bytes_max(value);
      }));
  POTOK_RETURN_IF_ERROR(
      TakeAmount("--max-gpus", options.max_gpus, none, ParseGpusOfTeam, [&](std::int64_t value) {
        to.set_gpu_millis_max(value);
      }));
  POTOK_RETURN_IF_ERROR(TakeAmount(
      "--max-running-steps", options.max_steps, none, ParseStepCount, [&](std::int64_t value) {
        to.set_running_steps_max(value);
      }));
  return TakeAmount("--max-running-steps-per-user",
                    options.max_steps_per_user,
                    none,
                    ParseStepCount,
                    [&](std::int64_t value) { to.set_user_running_steps_max(value); });
}

absl::Status TakeGuaranteed(const TeamEditOptions& options, v1::EditTeamRequest* request) {
  v1::EditTeamRequest& to = *request;
  POTOK_RETURN_IF_ERROR(TakeAmount(
      "--guaranteed-cpus", options.guaranteed_cpus, 0, ParseCpuMillis, [&](std::int64_t value) {
        to.set_cpu_millis_guaranteed(value);
      }));
  POTOK_RETURN_IF_ERROR(TakeAmount(
      "--guaranteed-memory", options.guaranteed_memory, 0, ParseBytes, [&](std::int64_t value) {
        to.set_memory_bytes_guaranteed(value);
      }));
  return TakeAmount(
      "--guaranteed-gpus", options.guaranteed_gpus, 0, ParseGpusOfTeam, [&](std::int64_t value) {
        to.set_gpu_millis_guaranteed(value);
      });
}

absl::StatusOr<v1::EditTeamRequest> EditRequestOf(const TeamEditOptions& options) {
  v1::EditTeamRequest request;
  request.set_name(options.name);
  if (!options.weight.empty()) {
    double weight = 0;
    if (!absl::SimpleAtod(options.weight, &weight)) {
      return WrongValue("--weight", options.weight, "a number from 0.001 to 1000");
    }
    request.set_weight(weight);
  }
  if (options.half_life == "0" || options.half_life == "none") {
    request.set_half_life_us(0);
  } else if (!options.half_life.empty()) {
    const absl::StatusOr<absl::Duration> age = ParseAge(options.half_life);
    if (!age.ok() || *age == absl::InfiniteDuration()) {
      return WrongValue("--half-life", options.half_life, "a time such as 7d or 12h, or none");
    }
    request.set_half_life_us(absl::ToInt64Microseconds(*age));
  }
  POTOK_RETURN_IF_ERROR(TakeLimits(options, &request));
  POTOK_RETURN_IF_ERROR(TakeGuaranteed(options, &request));
  POTOK_RETURN_IF_ERROR(TakePools(options.pool_limits, options.pool_guaranteed, &request));
  for (const std::string& user : options.add_users) request.add_add_users(user);
  for (const std::string& user : options.remove_users) request.add_remove_users(user);
  return request;
}

int PrintTeam(const Context& context, const CommonOptions& options, const v1::Team& team) {
  return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, TeamObject(team), [&] {
    return TeamText(team, StyleOf(context));
  });
}

int RunTeamEdit(Session& session, const TeamEditOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::EditTeamRequest> request = EditRequestOf(options);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  TeamsClient teams(connection->channel());
  const absl::StatusOr<v1::Team> team =
      options.is_new ? teams.Create(*request) : teams.Update(*request);
  if (!team.ok()) return Complain(context, team.status());
  return PrintTeam(context, options.common, *team);
}

int RunTeamShow(Session& session, const TeamOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<v1::Team> team = TeamsClient(connection->channel()).Get(options.name);
  if (!team.ok()) return Complain(context, team.status());
  return PrintTeam(context, options.common, *team);
}

int RunTeamList(Session& session, const TeamOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::StatusOr<std::vector<v1::Team>> teams = TeamsClient(connection->channel()).List();
  if (!teams.ok()) return Complain(context, teams.status());
  Array items;
  for (const v1::Team& team : *teams) items.push_back(TeamObject(team));
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
        return TeamTable(*teams, StyleOf(context));
      });
}

int RunTeamDelete(Session& session, const TeamOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::Status deleted = TeamsClient(connection->channel()).Delete(options.name);
  if (!deleted.ok()) return Complain(context, deleted);
  *context.err << "Removed the team " << Printable(options.name)
               << "; its users are in the team default now" << std::endl;
  return kExitOk;
}

void AddEditOptions(CommandOptions& edit, Session& session, TeamEditOptions* options) {
  edit.RequiredText("-n,--name", "TEAM", "Name of the team", &options->name);
  edit.Text("--weight",
            "N",
            "Its part of the machines against that of others who wait, 0.001 to 1000 (new: 1)",
            &options->weight);
  edit.Text("--half-life",
            "TIME",
            "After so long what it used counts half as much, as 7d; none: only what it uses now",
            &options->half_life);
  edit.Texts("--user,--add-user",
             "USER",
             "Who is in it; may be repeated. Others stay in the team default",
             &options->add_users);
  if (!options->is_new) {
    edit.Texts("--remove-user", "USER", "Who is in it no more", &options->remove_users);
  }
  edit.Group("What it may use at most (none: no limit)");
  edit.Text("--max-cpus", "N", "CPUs, as 16 or 0.5", &options->max_cpus);
  edit.Text("--max-memory", "SIZE", "Memory, as 512GiB", &options->max_memory);
  edit.Text("--max-gpus", "N", "GPUs, as 8 or 0.5", &options->max_gpus);
  edit.Text("--max-running-steps", "N", "Steps on machines", &options->max_steps);
  edit.Text("--max-running-steps-per-user",
            "N",
            "Steps on machines of each of its users",
            &options->max_steps_per_user);
  edit.Group("What it is guaranteed: below this it goes first within its priority");
  edit.Text("--guaranteed-cpus", "N", "CPUs", &options->guaranteed_cpus);
  edit.Text("--guaranteed-memory", "SIZE", "Memory", &options->guaranteed_memory);
  edit.Text("--guaranteed-gpus", "N", "GPUs", &options->guaranteed_gpus);
  edit.Group("The same in one pool, besides; may be repeated for others (POOL:none takes back)");
  edit.Texts("--pool-limits",
             "POOL:LIMITS",
             "At most, as gpu-cluster:gpus=8,cpus=64,memory=1TiB,running_steps=20",
             &options->pool_limits);
  edit.Texts("--pool-guaranteed",
             "POOL:AMOUNTS",
             "Guaranteed, as gpu-cluster:gpus=4",
             &options->pool_guaranteed);
  edit.Group("Options");
  AddServerOptions(edit, &options->common);
  AddOutputOptions(edit, session, &options->common);
}

}  // namespace

void AddTeamCommands(CLI::App& team, Session& session) {
  const auto listed = std::make_shared<TeamOptions>();
  CommandOptions list = AddCommand(team,
                                   session,
                                   "list",
                                   "Teams: their shares, what they use and may use",
                                   "potok team list -o json",
                                   listed,
                                   RunTeamList);
  AddServerOptions(list, &listed->common);
  AddOutputOptions(list, session, &listed->common);

  const auto shown = std::make_shared<TeamOptions>();
  CommandOptions show = AddCommand(team,
                                   session,
                                   "show",
                                   "One team and its users",
                                   "potok team show -n vision",
                                   shown,
                                   RunTeamShow);
  show.RequiredText("-n,--name", "TEAM", "Name of the team", &shown->name);
  AddServerOptions(show, &shown->common);
  AddOutputOptions(show, session, &shown->common);

  const auto made = std::make_shared<TeamEditOptions>();
  made->is_new = true;
  CommandOptions create =
      AddCommand(team,
                 session,
                 "create",
                 "Make a team",
                 "potok team create -n vision --weight 3 --user ann --user bob --max-gpus 16",
                 made,
                 RunTeamEdit);
  AddEditOptions(create, session, made.get());

  const auto changed = std::make_shared<TeamEditOptions>();
  CommandOptions update = AddCommand(team,
                                     session,
                                     "update",
                                     "Change a team; what is not given stays",
                                     "potok team update -n vision --max-gpus none --add-user cyd",
                                     changed,
                                     RunTeamEdit);
  AddEditOptions(update, session, changed.get());

  const auto removed = std::make_shared<TeamOptions>();
  CommandOptions remove = AddCommand(team,
                                     session,
                                     "delete",
                                     "Remove a team that has no runs going on",
                                     "potok team delete -n vision",
                                     removed,
                                     RunTeamDelete);
  remove.RequiredText("-n,--name", "TEAM", "Name of the team", &removed->name);
  AddServerOptions(remove, &removed->common);
}

}  // namespace potok::client
