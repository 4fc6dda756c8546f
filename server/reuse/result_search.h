// Results that may be taken: offered, young enough, and with all their bytes in the store.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/artifacts/artifact_store.h"
#include "server/domain/result.h"
#include "server/store/store.h"

namespace potok::server {

struct ResultWish {
  Fingerprint fingerprint{};
  absl::Duration max_age = absl::InfiniteDuration();
};
struct ResultAnswer {
  std::optional<Result> result;
  ResultLack lack = ResultLack::kNone;  // why what was found may not be taken
};

// The look-ups of one submission or one step. Who takes one result of a run usually takes many: all
// of a run's are read with the first, if many are expected. One thread; blocks on the database and
// the store, which outlive it.
class ResultSearch {
 public:
  ResultSearch(Reader& reader, ArtifactStore& store, absl::Time now, bool expects_many)
      : reader_(reader), store_(store), now_(now), expects_many_(expects_many) {}

  // An answer for each wish, in order. UNAVAILABLE if database or store are.
  absl::StatusOr<std::vector<ResultAnswer>> Find(const std::vector<ResultWish>& wishes);

 private:
  absl::Status Learn(const std::vector<ResultWish>& wishes);
  absl::StatusOr<bool> IsWhole(const Result& result);

  Reader& reader_;
  ArtifactStore& store_;
  const absl::Time now_;
  const bool expects_many_;
  std::map<Fingerprint, Result> known_;
  std::set<Fingerprint> asked_;
  std::set<RunId> read_runs_;
  std::map<Digest, bool> whole_;  // by root
};

}  // namespace potok::server
