#include "server/store/postgres/run_terms.h"

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

constexpr char kSubmitter[] = "submitter";
constexpr char kTag[] = "tag";
constexpr char kText[] = "text";
// Runs that are read at a time.
constexpr int kFillRuns = 1000;

const Statement kWrite = {"write run terms",
                          "INSERT INTO run_terms (run, kind, key, value) "
                          "SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) "
                          "ON CONFLICT (run, kind, key) DO NOTHING"};
const Statement kReadRuns = {"read runs for their terms",
                             "SELECT id, added FROM runs WHERE id > $1::bigint "
                             "ORDER BY id LIMIT $2::bigint"};

const Statement kDelete = {"delete run terms", "DELETE FROM run_terms WHERE run = $1::bigint"};

// Search looks at every run, the newest first, until there are enough: of a million runs a second.
std::string TextCondition(const std::string& text, PgParams* params) {
  params->Bytes(AsText(text));
  const int number = params->count();
  return fmt::format(
      "(position(lower(${0}::text) IN lower(name)) > 0 OR EXISTS (SELECT FROM run_terms "
      "WHERE run_terms.run = runs.id AND kind = '{1}' AND key = '' "
      "AND position(lower(${0}::text) IN lower(value)) > 0))",
      number,
      kText);
}

std::string Condition(const char* kind,
                      const std::string& key,
                      const std::string& value,
                      PgParams* params) {
  params->Bytes(AsText(key));
  const int key_number = params->count();
  params->Bytes(AsText(value));
  return fmt::format(
      "EXISTS (SELECT FROM run_terms WHERE run_terms.run = runs.id AND kind = '{}' "
      "AND key = ${}::text AND value = ${}::text)",
      kind,
      key_number,
      params->count());
}

}  // namespace

absl::Status WriteRunTerms(PgConnection& connection, const std::vector<const RunAdded*>& runs) {
  if (runs.empty()) return absl::OkStatus();
  std::vector<std::int64_t> run;
  std::vector<std::string> kind, key, value;
  const auto add = [&](RunId id, const char* of_kind, const std::string& k, const std::string& v) {
    run.push_back(id);
    kind.emplace_back(of_kind);
    key.push_back(AsText(k));
    value.push_back(AsText(v));
  };
  for (const RunAdded* added : runs) {
    add(added->id, kSubmitter, "", added->submitter);
    for (const auto& [tag, text] : added->tags) add(added->id, kTag, tag, text);
    if (!added->display_name.empty() || !added->description.empty()) {
      add(added->id, kText, "", added->display_name + "\n" + added->description);
    }
  }
  PgParams params;
  params.Int64s(run).Texts(kind).Texts(key).Texts(value);
  return connection.Run(kWrite, params).status();
}

absl::Status RewriteRunTerms(PgConnection& connection, const RunAdded& run) {
  POTOK_RETURN_IF_ERROR(connection.Run(kDelete, PgParams().Int64(run.id)).status());
  return WriteRunTerms(connection, {&run});
}

absl::Status FillRunTerms(PgConnection& connection) {
  std::int64_t after = 0;
  while (true) {
    POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                           connection.Run(kReadRuns, PgParams().Int64(after).Int64(kFillRuns)));
    if (rows.rows() == 0) return absl::OkStatus();
    std::vector<RunAdded> runs;
    for (int row = 0; row < rows.rows(); ++row) {
      POTOK_ASSIGN_OR_RETURN(runs.emplace_back(), DecodeRunAdded(rows.Bytes(row, 1)));
      after = rows.Int(row, 0);
    }
    std::vector<const RunAdded*> pointers;
    pointers.reserve(runs.size());
    for (const RunAdded& run : runs) pointers.push_back(&run);
    POTOK_RETURN_IF_ERROR(WriteRunTerms(connection, pointers));
  }
}

std::vector<std::string> TermConditions(const RunFilter& filter, PgParams* params) {
  std::vector<std::string> conditions;
  if (!filter.submitter.empty()) {
    conditions.push_back(Condition(kSubmitter, "", filter.submitter, params));
  }
  for (const auto& [key, value] : filter.tags) {
    conditions.push_back(Condition(kTag, key, value, params));
  }
  if (!filter.text.empty()) conditions.push_back(TextCondition(filter.text, params));
  return conditions;
}

}  // namespace potok::server
