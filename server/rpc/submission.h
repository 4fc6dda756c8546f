// A pipeline on its way in: checked whole, its data found or fetched, its plan stored; then the
// scheduler is told.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "potok/v1/runs.pb.h"
#include "server/artifacts/datastore.h"
#include "server/artifacts/web_files.h"
#include "server/registry/registry.h"
#include "server/reuse/foresee.h"
#include "server/rpc/replies.h"
#include "server/scheduler/scheduler.h"
#include "server/store/store.h"

namespace potok::server {

struct SubmissionOptions {
  // How long a submission waits for a first machine, so that `potok up` and a run right after it
  // work.
  absl::Duration first_machine_wait = absl::Seconds(5);
  absl::Duration answer_wait = absl::Seconds(30);
  std::int64_t projection_backlog_max = 64 << 20;  // docs/decisions/0001-journal-first.md
  DecideOptions decide;
  WebOptions web;
};

// Who submits a run, and what it starts after.
struct Submitter {
  std::string name;
  std::vector<v1::RunDependency> after = {};
};

struct Accepted {
  std::string name;
  std::vector<std::string> warnings;
};

// A pipeline that may be submitted.
struct Prepared {
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> warnings;
  bool found_data = false;  // the spec is not the one that came: data was found for it
  std::string bytes;        // that spec on the wire, if so
  bool may_reuse = false;   // a step that needs no other may have a result
};

// Thread-safe; blocks. All references outlive this.
class Submission {
 public:
  Submission(ArtifactStore& store,
             Datastores& datastores,
             FindRunOutput find_output,
             Reader& reader,
             Projector& projector,
             Scheduler& scheduler,
             Replies& replies,
             SubmissionOptions options)
      : store_(store),
        datastores_(datastores),
        find_output_(std::move(find_output)),
        reader_(reader),
        projector_(projector),
        scheduler_(scheduler),
        replies_(replies),
        options_(std::move(options)),
        web_files_(store, options_.web) {}

  // All of Submit that starts nothing: checks, finds the data, plans.
  absl::StatusOr<Prepared> Prepare(PipelineSpec spec, const std::function<bool()>& is_wanted);
  // The results that its steps would take now.
  absl::StatusOr<Foresight> Foresee(const std::shared_ptr<const Plan>& plan);

  // `bytes` is the serialised form of `spec`.
  // INVALID_ARGUMENT (one problem a line), FAILED_PRECONDITION (data is not in the store
  // or cannot be had, no machine could ever run a step, the submitter has too many runs that wait),
  // NOT_FOUND (a run to start after), ALREADY_EXISTS (name), RESOURCE_EXHAUSTED, UNAVAILABLE.
  // Nothing is started unless OK, and after UNAVAILABLE the same request id may be submitted again.
  // Data on the web is fetched first, however long that takes, as long as `is_wanted` is true.
  absl::StatusOr<Accepted> Submit(PipelineSpec spec,
                                  std::string bytes,
                                  const std::string& request_id,
                                  const Submitter& submitter,
                                  const std::function<bool()>& is_wanted = nullptr);

 private:
  // What addresses on the web were found to hold, in one submission.
  struct Found {
    const std::function<bool()>& is_wanted;
    std::map<std::string, Artifact> files;
  };
  absl::Status FindData(PipelineSpec& spec, Found& found);
  absl::Status FindInput(Input& input, Found& found);
  absl::StatusOr<Artifact> FindUri(const std::string& uri, ValueType type, Found& found);
  // The runs to start after, and how those ended that have. NOT_FOUND; INVALID_ARGUMENT for `own`.
  absl::StatusOr<std::vector<RunSubmitted::Predecessor>> FindPredecessors(
      const std::vector<v1::RunDependency>& after, const std::string& own);
  absl::Status CheckMachines(Prepared& prepared);
  struct Answers {
    absl::Status satisfiable;
    std::vector<std::string> unknown_pools;
    bool may_reuse = false;
  };
  absl::StatusOr<Answers> AskScheduler(const Plan& plan, const std::vector<std::uint64_t>& roots);

  ArtifactStore& store_;
  Datastores& datastores_;
  const FindRunOutput find_output_;
  Reader& reader_;
  Projector& projector_;
  Scheduler& scheduler_;
  Replies& replies_;
  SubmissionOptions options_;
  WebFiles web_files_;
};

// A stored spec as a plan again.
absl::StatusOr<std::shared_ptr<const Plan>> PlanOfStoredSpec(const std::string& bytes);

}  // namespace potok::server
