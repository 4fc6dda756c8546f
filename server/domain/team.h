// Teams as they are stored: who is in one, what it may use, and what it has used lately
// (docs/decisions/0039-shares-of-teams.md). Values; pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "common/base/resources.h"

namespace potok::server {

// The team of everybody who is in no other. It is always there.
inline constexpr char kDefaultTeam[] = "default";

// What shares and quotas count. In 64 bits, for sums over many machines.
struct Amounts {
  std::int64_t memory_bytes = 0;
  std::int64_t cpu_millis = 0;
  std::int64_t gpu_millis = 0;

  Amounts& operator+=(const Amounts& other);
  Amounts& operator-=(const Amounts& other);
  auto operator<=>(const Amounts&) const = default;
};
Amounts AmountsOf(const Resources& resources);
Amounts TimesOf(const Amounts& amounts, std::int64_t count);

inline constexpr std::int64_t kNoLimit = -1;

// What a team as a whole may hold at most; kNoLimit: any amount.
struct Quota {
  std::int64_t memory_bytes = kNoLimit;
  std::int64_t cpu_millis = kNoLimit;
  std::int64_t gpu_millis = kNoLimit;
  std::int64_t running_steps = kNoLimit;
  bool operator==(const Quota&) const = default;
};

// What a team may hold at most in one pool, and below which of it it comes before other teams
// there.
struct PoolShare {
  Quota quota;
  Amounts guaranteed;
  bool operator==(const PoolShare&) const = default;
};

// Under which name what steps ask for in the pool counts for teams: the one that they give, or
// "default", whatever they call that.
std::string PoolCounted(const std::string& pool);

// A team as it was made or last changed.
struct TeamChanged {
  std::string name;
  double weight = 1;
  // After so long what was used counts half as much; zero: only what is in use counts.
  absl::Duration half_life = absl::ZeroDuration();
  Quota quota;
  std::int64_t user_running_steps = kNoLimit;  // of each of its users at a time
  // Below this it comes before other teams; what is zero is not guaranteed.
  Amounts guaranteed;
  std::map<std::string, PoolShare> pools;  // by name; besides what holds over all pools
  std::set<std::string> users;             // by what they submit as; nobody is in two teams
  bool removed = false;
  absl::Time at;
};

// What was held on average, of which the past counts less the longer ago it is.
struct PastUse {
  double memory_bytes = 0;
  double cpu_millis = 0;
  double gpu_millis = 0;
  absl::Time at = absl::UnixEpoch();  // up to when
  bool operator==(const PastUse&) const = default;
};

// What a team and one of its users have used up to a moment at which they begin to hold something
// more or less. Only of teams with a half-life.
struct TeamUsed {
  std::string team;
  std::string user;
  PastUse of_team;
  PastUse of_user;
};

}  // namespace potok::server
