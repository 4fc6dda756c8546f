// Moves the files of attempts: inputs in, outputs out. Port of the agent's loop; the real one is
// pool_transfers.h.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"

namespace potok::agent {

// One thread calls. Stage, Store, Cancel and Remove do not block; what comes of them is posted to
// the loop. The other two do what takes some microseconds at once, so that steps without files need
// no other thread.
class Transfers {
 public:
  virtual ~Transfers() = default;
  // Fetches code and inputs and makes the step's folders; posts StagingDone. What an earlier agent
  // left of it is replaced.
  virtual void Stage(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) = 0;
  // Stores outputs and default artifacts; posts OutputsStored.
  virtual void Store(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) = 0;
  // The attempt's transfer is not wanted any more: it ends soon, and what it posts says when.
  virtual void Cancel(const AttemptKey& key) = 0;
  // Makes the folders of a step that has nothing to fetch. UNAVAILABLE naming the path.
  virtual absl::Status MakeFolders(const AttemptOrder& order, const AttemptPaths& paths) = 0;
  // True if the command left anything in work/outputs or work/logs.
  virtual bool HasDefaultArtifacts(const AttemptPaths& paths) = 0;
  // Removes an attempt's folder; posts nothing.
  virtual void Remove(const AttemptPaths& paths) = 0;
};

}  // namespace potok::agent
