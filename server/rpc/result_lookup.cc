#include "server/rpc/result_lookup.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "server/domain/fingerprint.h"
#include "server/reuse/result_search.h"

namespace potok::server {

namespace {

constexpr absl::Duration kTablesWait = absl::Seconds(10);

}  // namespace

absl::StatusOr<ResultLookedUp> ResultLookup::Look(const FindResult& question,
                                                  std::int64_t revision) const {
  // What was offered a moment ago may not be in the tables yet.
  POTOK_RETURN_IF_ERROR(projector_.WaitFor(revision, kTablesWait, Haste::kNow));
  ResultSearch search(reader_, store_, absl::Now(), /*expects_many=*/false);
  POTOK_ASSIGN_OR_RETURN(std::vector<ResultAnswer> answers,
                         search.Find({{question.fingerprint, question.max_age}}));
  ResultLookedUp answer{question.step, std::move(answers[0].result), answers[0].lack};
  if (answer.result.has_value()) {
    const AttemptKey key{question.step.run, question.step.index, 0};
    POTOK_RETURN_IF_ERROR(
        completion_.Settle(*question.plan, question.run, key, answer.result->outputs));
  }
  return answer;
}

ResultLookedUp ResultLookup::Answer(const FindResult& question, std::int64_t revision) const {
  auto answer = Look(question, revision);
  if (answer.ok()) return *std::move(answer);
  spdlog::warn("no result could be taken, the step runs run={} step={}: {}",
               question.run,
               question.step.index,
               answer.status().ToString());
  return {question.step, std::nullopt, ResultLack::kNone};
}

}  // namespace potok::server
