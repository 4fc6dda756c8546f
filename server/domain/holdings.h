// Which machines hold which large artifacts in their caches, as far as is known from the attempts
// that ran there: what was staged for them, and what they made. Pure; one thread, also for const
// calls.
//
// A hint, and not stored: a machine may have dropped what it is said to hold, and a server that
// starts knows only what the runs tell that have not ended. Of each machine the artifacts that were
// used last are remembered, at most kHeldArtifactsMax and as many bytes as its cache may hold; it
// drops the least recently used as the cache does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "common/base/digest.h"
#include "common/pipeline/spec.h"
#include "server/domain/step_state.h"

namespace potok::server {

inline constexpr std::size_t kHeldArtifactsMax = 128;  // of one machine

class Holdings {
 public:
  // The machine used or made the artifact just now. What is too small is not remembered.
  void Note(MachineId machine, const Artifact& artifact);
  // It holds nothing.
  void Forget(MachineId machine);
  // How many bytes its cache may hold; 0: no limit.
  void Limit(MachineId machine, std::int64_t cache_bytes);

  bool empty() const { return numbers_.empty(); }
  bool Holds(MachineId machine, const Digest& artifact) const;
  // Ascending; null if nobody holds it.
  const absl::btree_set<MachineId>* HoldersOf(const Digest& artifact) const;
  std::size_t CountOn(MachineId machine) const;
  std::int64_t BytesOn(MachineId machine) const;

 private:
  using Number = std::uint32_t;
  struct Kept {
    Digest digest;
    std::int64_t bytes = 0;
    absl::btree_set<MachineId> holders;  // of a number that is in use: not empty
  };
  struct Shelf {
    std::vector<Number> artifacts;  // the least recently used first
    std::int64_t bytes = 0;
    std::int64_t bytes_max = 0;  // 0: no limit
  };

  Number NumberOf(const Artifact& artifact);
  void Drop(MachineId machine, Number number);
  void Shorten(MachineId machine, Shelf* shelf);

  absl::btree_map<Digest, Number> numbers_;  // of what somebody holds
  std::vector<Kept> kept_;                   // by number
  std::vector<Number> unused_;               // numbers that are nobody's
  std::map<MachineId, Shelf> shelves_;
};

}  // namespace potok::server
