// Which blobs a bounded cache holds, in order of use, and which of them may go. Pure bookkeeping:
// the disk follows what it says. Not thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "common/base/digest.h"

namespace potok {

class BlobIndex {
 public:
  explicit BlobIndex(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Notes a blob as present and just used.
  void Add(const Digest& digest);
  void Use(const Digest& digest);
  void Remove(const Digest& digest);

  // A pinned blob is not evicted; pins are counted, and may precede the blob.
  void Pin(const Digest& digest);
  void Unpin(const Digest& digest);

  // Takes the least recently used, unpinned blobs out until the rest fits. The most recently used
  // blob stays even if it alone is too large: whoever stored it has yet to use it.
  std::vector<Digest> Evict();

  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t bytes_max_;
  std::int64_t bytes_ = 0;
  std::list<Digest> by_use_;  // the least recently used first
  std::map<Digest, std::list<Digest>::iterator> present_;
  std::map<Digest, int> pins_;
};

}  // namespace potok
