#include "server/store/postgres/team_tables.h"

#include "common/base/status_macros.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

const Statement kRemoveTeams = {"remove teams", "DELETE FROM teams WHERE name = ANY ($1::bytea[])"};
const Statement kRemoveUses = {"remove uses of teams",
                               "DELETE FROM team_uses WHERE team = ANY ($1::bytea[])"};
const Statement kWriteTeams = {
    "write teams",
    "INSERT INTO teams (name, revision, team) "
    "SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) "
    "ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, team = excluded.team"};
const Statement kWriteUses = {
    "write uses of teams",
    "INSERT INTO team_uses (team, user_name, revision, used) "
    "SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[]) "
    "ON CONFLICT (team, user_name) DO UPDATE SET revision = excluded.revision, "
    "used = excluded.used"};
const Statement kReadTeams = {"load teams", "SELECT team FROM teams ORDER BY name"};
// Uses of one revision are of one moment, and say the same of the team.
const Statement kReadUses = {"load uses of teams",
                             "SELECT used FROM team_uses ORDER BY revision, team, user_name"};

absl::Status Remove(PgConnection& connection, const std::set<std::string>& names) {
  if (names.empty()) return absl::OkStatus();
  const std::vector<std::string> list(names.begin(), names.end());
  PgParams params;
  params.ByteStrings(list);
  POTOK_RETURN_IF_ERROR(connection.Run(kRemoveTeams, params).status());
  return connection.Run(kRemoveUses, params).status();
}

}  // namespace

void TeamWrites::Fold(const Change& change, std::int64_t revision) {
  if (const auto* used = std::get_if<TeamUsed>(&change)) {
    uses[{used->team, used->user}] = {used, revision};
    return;
  }
  const auto* changed = std::get_if<TeamChanged>(&change);
  if (changed == nullptr) return;
  if (!changed->removed) {
    teams[changed->name] = {changed, revision};
    return;
  }
  removed.insert(changed->name);
  teams.erase(changed->name);
  std::erase_if(uses, [&](const auto& entry) { return entry.first.first == changed->name; });
}

absl::Status WriteTeams(PgConnection& connection, const TeamWrites& writes) {
  POTOK_RETURN_IF_ERROR(Remove(connection, writes.removed));
  std::vector<std::string> name, user, bytes;
  std::vector<std::int64_t> revision;
  for (const auto& [key, write] : writes.teams) {
    name.push_back(key);
    revision.push_back(write.revision);
    bytes.push_back(EncodeTeamChanged(*write.value));
  }
  if (!name.empty()) {
    PgParams params;
    params.ByteStrings(name).Int64s(revision).ByteStrings(bytes);
    POTOK_RETURN_IF_ERROR(connection.Run(kWriteTeams, params).status());
  }
  if (writes.uses.empty()) return absl::OkStatus();
  name.clear();
  revision.clear();
  bytes.clear();
  for (const auto& [key, write] : writes.uses) {
    name.push_back(key.first);
    user.push_back(key.second);
    revision.push_back(write.revision);
    bytes.push_back(EncodeTeamUsed(*write.value));
  }
  PgParams params;
  params.ByteStrings(name).ByteStrings(user).Int64s(revision).ByteStrings(bytes);
  return connection.Run(kWriteUses, params).status();
}

absl::StatusOr<std::vector<Change>> ReadTeams(PgConnection& connection) {
  std::vector<Change> changes;
  POTOK_ASSIGN_OR_RETURN(const PgResult teams, connection.Run(kReadTeams));
  for (int row = 0; row < teams.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(TeamChanged team, DecodeTeamChanged(teams.Bytes(row, 0)));
    changes.emplace_back(std::move(team));
  }
  POTOK_ASSIGN_OR_RETURN(const PgResult uses, connection.Run(kReadUses));
  for (int row = 0; row < uses.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(TeamUsed used, DecodeTeamUsed(uses.Bytes(row, 0)));
    changes.emplace_back(std::move(used));
  }
  return changes;
}

}  // namespace potok::server
