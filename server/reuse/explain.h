// Why a step ran, or was reused: in words, with the exact difference from the nearest earlier
// result. Blocks on the store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/artifacts/artifact_store.h"
#include "server/domain/fingerprint.h"
#include "server/domain/state.h"
#include "server/store/store.h"

namespace potok::server {

enum class Verdict {
  kReused,
  kRuns,     // ran, runs, or will
  kUnknown,  // depends on what runs before it
  kNotRun,   // skipped or canceled before it began, or fails before it begins
};

// One field that is not as it was.
struct FieldDifference {
  std::string field;               // "code", "input lr"
  std::string was;                 // short; empty: it was not there
  std::string now;                 // short; empty: it is not there
  std::vector<std::string> files;  // of folders: "changed train.py", "new x", "gone y"; at most 20
};

struct Explanation {
  std::uint32_t step = 0;
  Verdict verdict = Verdict::kUnknown;
  std::string reason;  // one line
  AttemptKey from;     // the source of a reused step, or the nearest earlier result; run 0: none
  std::int64_t saved_us = 0;
  std::vector<FieldDifference> differences;
};

// A run as it is stored, with its plan and the states of its steps; NOT_FOUND. Asked for the same
// run many times: it is to remember.
using LoadRun = std::function<absl::StatusOr<std::shared_ptr<const RunRecord>>(RunId)>;

// One thread; what it refers to outlives it.
class Explainer {
 public:
  Explainer(Reader& reader, ArtifactStore& store, LoadRun load_run)
      : reader_(reader), store_(store), load_run_(std::move(load_run)) {}

  // `run` is a stored run, or one that was only foreseen (id 0). `begun_us`: results that were
  // offered before this moment could be taken (Unix microseconds). UNAVAILABLE if the database or
  // the store is.
  absl::StatusOr<Explanation> Explain(const RunRecord& run,
                                      std::uint32_t index,
                                      ResultLack lack,
                                      std::int64_t begun_us);

 private:
  absl::Status CompareWithNearest(const RunRecord& run, std::int64_t begun_us, Explanation* to);
  std::vector<std::string> DifferentFiles(const FingerprintField& was, const FingerprintField& now);
  // Folders that the step reads, by the text of their digests: to be listed if they differ.
  void NoteFolders(const RunRecord& run, std::uint32_t index);

  Reader& reader_;
  ArtifactStore& store_;
  LoadRun load_run_;
  std::map<std::string, Artifact> folders_;
};

// The fields of two steps that differ, in the order of `now` and then of `was`; `files` is left
// empty. Pure.
std::vector<FieldDifference> CompareFields(const std::vector<FingerprintField>& was,
                                           const std::vector<FingerprintField>& now);

}  // namespace potok::server
