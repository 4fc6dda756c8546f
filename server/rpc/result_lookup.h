// Looks for results that steps may take, beside the scheduler, and posts what was found.
// Thread-safe; blocks on the database, the store and datastores.
#pragma once

#include "server/domain/effect.h"
#include "server/rpc/completion.h"
#include "server/scheduler/scheduler.h"
#include "server/store/store.h"

namespace potok::server {

class ResultLookup {
 public:
  // All references outlive this.
  ResultLookup(Reader& reader,
               Projector& projector,
               ArtifactStore& store,
               Scheduler& scheduler,
               const Completion& completion)
      : reader_(reader),
        projector_(projector),
        store_(store),
        scheduler_(scheduler),
        completion_(completion) {}

  // The answer to one question of the scheduler. What the step's completion writes besides is
  // written before a result is answered. Where that or the look-up fails the answer is that there
  // is none: the step then runs.
  ResultLookedUp Answer(const FindResult& question) const;

 private:
  absl::StatusOr<ResultLookedUp> Look(const FindResult& question) const;

  Reader& reader_;
  Projector& projector_;
  ArtifactStore& store_;
  Scheduler& scheduler_;
  const Completion& completion_;
};

}  // namespace potok::server
