#include "client/cli/show/team_text.h"

#include "client/cli/text/printable.h"
#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

std::string PercentText(double share) {
  return fmt::format("{:.1f}%", 100 * share);
}

std::string UnitsOf(std::int64_t millis) {
  return fmt::format("{:g}", static_cast<double>(millis) / 1000);
}

std::string BytesHeld(std::int64_t bytes) {
  return bytes == 0 ? "0" : FormatBytes(bytes);
}

// "2 of 8", "2": without a limit.
std::string HeldOf(const std::string& held, bool is_limited, const std::string& limit) {
  return is_limited ? held + " of " + limit : held;
}

std::string StepsText(const v1::Team& team) {
  return HeldOf(fmt::format("{}", team.running_steps()),
                team.has_running_steps_max(),
                fmt::format("{}", team.running_steps_max()));
}

std::string GuaranteedText(const v1::Amounts& least) {
  std::string text;
  const auto add = [&](bool is_there, const std::string& what) {
    if (is_there) text += (text.empty() ? "" : ", ") + what;
  };
  add(least.cpu_millis() > 0, UnitsOf(least.cpu_millis()) + " CPUs");
  add(least.memory_bytes() > 0, BytesHeld(least.memory_bytes()) + " memory");
  add(least.gpu_millis() > 0, UnitsOf(least.gpu_millis()) + " GPUs");
  return text;
}

Value AmountsObject(const v1::Amounts& amounts) {
  return Value(Object{{"memory_bytes", amounts.memory_bytes()},
                      {"cpu_millis", amounts.cpu_millis()},
                      {"gpu_millis", amounts.gpu_millis()}});
}

Value LimitOrNull(bool is_limited, std::int64_t limit) {
  return is_limited ? Value(limit) : Value();
}

// What people write on the command line: "7d", "1d 12h".
std::string HalfLifeText(const v1::Team& team) {
  return team.half_life_us() == 0 ? "-" : ShortDuration(absl::Microseconds(team.half_life_us()));
}

}  // namespace

std::string InPoolTable(const TeamsInPools& shares, InPool first, const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(static_cast<std::size_t>(shares.size()));
  for (const v1::TeamInPool& one : shares) {
    const std::string least = GuaranteedText(one.guaranteed());
    rows.push_back({Printable(first == InPool::kPool ? one.pool() : one.team()),
                    HeldOf(UnitsOf(one.held().cpu_millis()),
                           one.has_cpu_millis_max(),
                           UnitsOf(one.cpu_millis_max())),
                    HeldOf(BytesHeld(one.held().memory_bytes()),
                           one.has_memory_bytes_max(),
                           BytesHeld(one.memory_bytes_max())),
                    HeldOf(UnitsOf(one.held().gpu_millis()),
                           one.has_gpu_millis_max(),
                           UnitsOf(one.gpu_millis_max())),
                    HeldOf(fmt::format("{}", one.running_steps()),
                           one.has_running_steps_max(),
                           fmt::format("{}", one.running_steps_max())),
                    least.empty() ? "-" : least});
  }
  const char* what = first == InPool::kPool ? "POOL" : "TEAM";
  return Table({what, "CPUS", "MEMORY", "GPUS", "STEPS", "GUARANTEED"}, rows, style);
}

Value InPoolValue(const TeamsInPools& shares, InPool first) {
  Array items;
  for (const v1::TeamInPool& one : shares) {
    Object quota{
        {"memory_bytes", LimitOrNull(one.has_memory_bytes_max(), one.memory_bytes_max())},
        {"cpu_millis", LimitOrNull(one.has_cpu_millis_max(), one.cpu_millis_max())},
        {"gpu_millis", LimitOrNull(one.has_gpu_millis_max(), one.gpu_millis_max())},
        {"running_steps", LimitOrNull(one.has_running_steps_max(), one.running_steps_max())}};
    const bool is_pool = first == InPool::kPool;
    items.emplace_back(Object{{is_pool ? "pool" : "team", is_pool ? one.pool() : one.team()},
                              {"quota", std::move(quota)},
                              {"guaranteed", AmountsObject(one.guaranteed())},
                              {"held", AmountsObject(one.held())},
                              {"running_steps", one.running_steps()}});
  }
  return Value(std::move(items));
}

std::string TeamTable(const std::vector<v1::Team>& teams, const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(teams.size());
  for (const v1::Team& team : teams) {
    rows.push_back({team.name(),
                    fmt::format("{:g}", team.weight()),
                    PercentText(team.share()),
                    team.half_life_us() == 0 ? "-" : PercentText(team.past_share()),
                    HeldOf(UnitsOf(team.held().cpu_millis()),
                           team.has_cpu_millis_max(),
                           UnitsOf(team.cpu_millis_max())),
                    HeldOf(BytesHeld(team.held().memory_bytes()),
                           team.has_memory_bytes_max(),
                           BytesHeld(team.memory_bytes_max())),
                    HeldOf(UnitsOf(team.held().gpu_millis()),
                           team.has_gpu_millis_max(),
                           UnitsOf(team.gpu_millis_max())),
                    StepsText(team),
                    fmt::format("{}", team.queued_steps())});
  }
  return Table({"TEAM", "WEIGHT", "SHARE", "PAST", "CPUS", "MEMORY", "GPUS", "STEPS", "QUEUED"},
               rows,
               style);
}

std::string TeamText(const v1::Team& team, const TableStyle& style) {
  std::string text = TeamTable({team}, style);
  const std::string least = GuaranteedText(team.guaranteed());
  if (!least.empty()) text += "Guaranteed: " + least + "\n";
  if (team.half_life_us() != 0) text += "Half-life: " + HalfLifeText(team) + "\n";
  if (team.has_user_running_steps_max()) {
    text += fmt::format("Running steps of each user: at most {}\n", team.user_running_steps_max());
  }
  std::string users;
  for (const std::string& user : team.users()) {
    users += (users.empty() ? "" : ", ") + Printable(user);
  }
  if (!users.empty()) text += "Users: " + users + "\n";
  if (!team.pools().empty()) text += InPoolTable(team.pools(), InPool::kPool, style);
  if (team.active().empty()) return text;
  std::vector<std::vector<std::string>> rows;
  for (const v1::UserOfTeam& user : team.active()) {
    rows.push_back({user.name(),
                    PercentText(user.share()),
                    team.half_life_us() == 0 ? "-" : PercentText(user.past_share()),
                    UnitsOf(user.held().cpu_millis()),
                    BytesHeld(user.held().memory_bytes()),
                    UnitsOf(user.held().gpu_millis()),
                    fmt::format("{}", user.running_steps())});
  }
  return text + Table({"USER", "SHARE", "PAST", "CPUS", "MEMORY", "GPUS", "STEPS"}, rows, style);
}

Value TeamObject(const v1::Team& team) {
  Array users;
  for (const std::string& user : team.users()) users.emplace_back(user);
  Array active;
  for (const v1::UserOfTeam& user : team.active()) {
    active.emplace_back(Object{{"name", user.name()},
                               {"held", AmountsObject(user.held())},
                               {"running_steps", user.running_steps()},
                               {"share", user.share()},
                               {"past_share", user.past_share()}});
  }
  Object quota{
      {"memory_bytes", LimitOrNull(team.has_memory_bytes_max(), team.memory_bytes_max())},
      {"cpu_millis", LimitOrNull(team.has_cpu_millis_max(), team.cpu_millis_max())},
      {"gpu_millis", LimitOrNull(team.has_gpu_millis_max(), team.gpu_millis_max())},
      {"running_steps", LimitOrNull(team.has_running_steps_max(), team.running_steps_max())},
      {"running_steps_per_user",
       LimitOrNull(team.has_user_running_steps_max(), team.user_running_steps_max())}};
  return Value(
      Object{{"name", team.name()},
             {"weight", team.weight()},
             {"half_life_seconds", absl::ToDoubleSeconds(absl::Microseconds(team.half_life_us()))},
             {"share", team.share()},
             {"past_share", team.past_share()},
             {"quota", std::move(quota)},
             {"guaranteed", AmountsObject(team.guaranteed())},
             {"pools", InPoolValue(team.pools(), InPool::kPool)},
             {"held", AmountsObject(team.held())},
             {"running_steps", team.running_steps()},
             {"queued_steps", team.queued_steps()},
             {"runs", team.runs()},
             {"users", std::move(users)},
             {"active", std::move(active)},
             {"machines", AmountsObject(team.machines())}});
}

}  // namespace potok::client
