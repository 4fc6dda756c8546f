#include "server/store/postgres/claims.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/digest.h"
#include "common/base/status_macros.h"

namespace potok::server {

namespace {

// In order of the key, so that two servers that claim the same things cannot deadlock; of equal
// keys the first is inserted, and the conflict with it drops the others.
const Statement kInsert = {"insert claims",
                           "INSERT INTO claims (kind, key, value) "
                           "SELECT kind, key, value "
                           "FROM unnest($1::text[], $2::bytea[], $3::bytea[]) WITH ORDINALITY "
                           "AS claimed (kind, key, value, position) "
                           "ORDER BY kind, key, position "
                           "ON CONFLICT DO NOTHING "
                           "RETURNING kind, key"};
const Statement kSelect = {"select claims",
                           "SELECT kind, key, value FROM claims "
                           "JOIN unnest($1::text[], $2::bytea[]) AS asked (kind, key) "
                           "USING (kind, key)"};

using Key = std::pair<std::string, std::string>;

// A key that is too long for an index row counts by its digest.
Key KeyOf(const Claim& claim) {
  constexpr std::size_t kBytesMax = 1000;
  return {claim.kind, claim.key.size() > kBytesMax ? DigestOf(claim.key).Hex() : claim.key};
}

}  // namespace

absl::StatusOr<std::vector<std::optional<std::string>>> MakeClaims(
    PgConnection& connection, const std::vector<Claim>& claims) {
  std::vector<std::string> kinds;
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (const Claim& claim : claims) {
    const Key key = KeyOf(claim);
    kinds.push_back(key.first);
    keys.push_back(key.second);
    values.push_back(claim.value);
  }
  POTOK_ASSIGN_OR_RETURN(
      const PgResult made,
      connection.Run(kInsert, PgParams().Texts(kinds).ByteStrings(keys).ByteStrings(values)));
  std::set<Key> free;
  for (int row = 0; row < made.rows(); ++row) free.insert({made.Bytes(row, 0), made.Bytes(row, 1)});
  std::vector<std::optional<std::string>> answers(claims.size());
  if (free.size() == claims.size()) return answers;

  POTOK_ASSIGN_OR_RETURN(const PgResult held,
                         connection.Run(kSelect, PgParams().Texts(kinds).ByteStrings(keys)));
  std::map<Key, std::string> holder;
  for (int row = 0; row < held.rows(); ++row) {
    holder[{held.Bytes(row, 0), held.Bytes(row, 1)}] = held.Bytes(row, 2);
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    // The first that asks gets it; an equal one later in the same turn finds it taken.
    if (free.erase(KeyOf(claims[i])) == 0) answers[i] = holder[KeyOf(claims[i])];
  }
  return answers;
}

}  // namespace potok::server
