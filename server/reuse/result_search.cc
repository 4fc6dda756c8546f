#include "server/reuse/result_search.h"

#include <utility>

#include "common/base/status_macros.h"

namespace potok::server {

absl::StatusOr<std::vector<ResultAnswer>> ResultSearch::Find(
    const std::vector<ResultWish>& wishes) {
  POTOK_RETURN_IF_ERROR(Learn(wishes));
  std::vector<ResultAnswer> answers;
  answers.reserve(wishes.size());
  for (const ResultWish& wish : wishes) {
    ResultAnswer& answer = answers.emplace_back();
    const auto known = known_.find(wish.fingerprint);
    if (known == known_.end()) continue;
    if (now_ - known->second.ended > wish.max_age) {
      answer.lack = ResultLack::kTooOld;
      continue;
    }
    POTOK_ASSIGN_OR_RETURN(const bool whole, IsWhole(known->second));
    if (whole) {
      answer.result = known->second;
    } else {
      answer.lack = ResultLack::kBytesGone;
    }
  }
  return answers;
}

absl::Status ResultSearch::Learn(const std::vector<ResultWish>& wishes) {
  std::vector<Fingerprint> unknown;
  for (const ResultWish& wish : wishes) {
    if (known_.contains(wish.fingerprint)) continue;
    if (asked_.insert(wish.fingerprint).second) unknown.push_back(wish.fingerprint);
  }
  if (unknown.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(std::vector<FoundResult> found, reader_.FindResults(unknown));
  for (FoundResult& result : found) {
    const RunId run = result.result.made_by.run;
    known_.insert_or_assign(result.fingerprint, std::move(result.result));
    if (!expects_many_ || !read_runs_.insert(run).second) continue;
    POTOK_ASSIGN_OR_RETURN(std::vector<FoundResult> others, reader_.ResultsOfRun(run));
    for (FoundResult& other : others) known_.emplace(other.fingerprint, std::move(other.result));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ResultSearch::IsWhole(const Result& result) {
  for (const OutputValue& output : result.outputs) {
    const auto* artifact = std::get_if<Artifact>(&output.value);
    if (artifact == nullptr) continue;
    const auto known = whole_.find(artifact->digest);
    if (known != whole_.end()) {
      if (!known->second) return false;
      continue;
    }
    const auto missing = store_.MissingOf(*artifact);
    // A folder that cannot be read whole is no result; a store that is away is no answer.
    if (absl::IsUnavailable(missing.status())) return missing.status();
    const bool whole = missing.ok() && missing->empty();
    whole_[artifact->digest] = whole;
    if (!whole) return false;
  }
  return true;
}

}  // namespace potok::server
