// Teams and what they have used, as tables. On the caller's connection and transaction; errors are
// those of PgConnection::Run.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// What one transaction writes of teams: pointers into the batches, which outlive it.
struct TeamWrites {
  template <class Value>
  struct Write {
    const Value* value = nullptr;
    std::int64_t revision = 0;
  };
  std::set<std::string> removed;                    // at some time, whatever came after
  std::map<std::string, Write<TeamChanged>> teams;  // those that are there
  std::map<std::pair<std::string, std::string>, Write<TeamUsed>> uses;  // by team and user

  // Takes the change in, if it is one of teams.
  void Fold(const Change& change, std::int64_t revision);
};

absl::Status WriteTeams(PgConnection& connection, const TeamWrites& writes);

// All teams, then what they have used in the order in which it was noted.
absl::StatusOr<std::vector<Change>> ReadTeams(PgConnection& connection);

}  // namespace potok::server
