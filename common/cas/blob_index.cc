#include "common/cas/blob_index.h"

#include "common/base/check.h"

namespace potok {

void BlobIndex::Add(const Digest& digest) {
  if (present_.contains(digest)) return Use(digest);
  present_[digest] = by_use_.insert(by_use_.end(), digest);
  bytes_ += digest.size_bytes;
}

void BlobIndex::Use(const Digest& digest) {
  const auto found = present_.find(digest);
  if (found != present_.end()) by_use_.splice(by_use_.end(), by_use_, found->second);
}

void BlobIndex::Remove(const Digest& digest) {
  const auto found = present_.find(digest);
  if (found == present_.end()) return;
  by_use_.erase(found->second);
  present_.erase(found);
  bytes_ -= digest.size_bytes;
}

void BlobIndex::Pin(const Digest& digest) {
  ++pins_[digest];
}

void BlobIndex::Unpin(const Digest& digest) {
  const auto found = pins_.find(digest);
  POTOK_CHECK(found != pins_.end());
  if (--found->second == 0) pins_.erase(found);
}

std::vector<Digest> BlobIndex::Evict() {
  std::vector<Digest> evicted;
  if (by_use_.empty()) return evicted;
  const auto newest = std::prev(by_use_.end());
  for (auto next = by_use_.begin(); bytes_ > bytes_max_ && next != newest;) {
    const Digest digest = *next++;
    if (pins_.contains(digest)) continue;
    Remove(digest);
    evicted.push_back(digest);
  }
  return evicted;
}

}  // namespace potok
