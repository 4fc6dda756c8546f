// Outputs stay on the machine that made them, for steps that want them next. Blocks on the disk;
// any thread.
#pragma once

#include "agent/artifacts/collect_outputs.h"
#include "common/base/attempt.h"
#include "common/cas/blob_store.h"

namespace potok::agent {

// Puts what was stored into the cache, by links where there are files, if one of the outputs is
// large enough to be remembered (held_artifacts.h). What cannot be kept is fetched when it is
// wanted: that is logged, and no error. The attempt's processes have ended.
void KeepOutputs(const AttemptKey& key, const CollectedOutputs& outputs, BlobStore& cache);

}  // namespace potok::agent
