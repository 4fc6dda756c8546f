// Looks for results that steps may take, beside the scheduler, and posts what was found.
// Thread-safe; blocks on the database, the store and datastores.
#pragma once

#include <cstdint>

#include "server/domain/effect.h"
#include "server/domain/event.h"
#include "server/rpc/completion.h"
#include "server/store/store.h"

namespace potok::server {

class ResultLookup {
 public:
  // All references outlive this.
  ResultLookup(Reader& reader,
               Projector& projector,
               ArtifactStore& store,
               const Completion& completion)
      : reader_(reader), projector_(projector), store_(store), completion_(completion) {}

  // The answer to one question of the scheduler, from what was stored up to `revision`. What the
  // step's completion writes besides is written before a result is answered. Where that or the
  // look-up fails the answer is that there is none: the step then runs.
  ResultLookedUp Answer(const FindResult& question, std::int64_t revision) const;

 private:
  absl::StatusOr<ResultLookedUp> Look(const FindResult& question, std::int64_t revision) const;

  Reader& reader_;
  Projector& projector_;
  ArtifactStore& store_;
  const Completion& completion_;
};

}  // namespace potok::server
