// What the scheduler says and to whom: the port to agents, callers and watchers. Implemented in
// server/rpc; tests use a recorder.
#pragma once

#include <vector>

#include "server/domain/effect.h"
#include "server/store/store.h"

namespace potok::server {

// Called on the scheduler's thread only, after the commit; must not block.
class Outbound {
 public:
  virtual ~Outbound() = default;
  // All that one turn says, in its order.
  virtual void Say(std::vector<Effect> effects) = 0;
  // A batch that is now stored: for watchers.
  virtual void Committed(const Batch& batch) = 0;
};

}  // namespace potok::server
