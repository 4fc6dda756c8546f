// Which blobs are named by something: a set that may say yes of a blob that was never added (one in
// two thousand, another one in each collection) and never no of one that was. Two bytes a blob,
// however many there are (B. Bloom, 1970). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/digest.h"

namespace potok::server {

class BlobMarks {
 public:
  // For about `blobs` blobs; more make it say yes more often. `salt` chooses those that are taken
  // for others.
  BlobMarks(std::size_t blobs, std::uint64_t salt);

  void Add(const Digest& digest);
  bool MayContain(const Digest& digest) const;

 private:
  static constexpr int kBitsOfBlob = 7;
  // The i-th bit of a blob.
  std::size_t BitOf(const Digest& digest, int i) const;

  const std::uint64_t salt_;
  std::vector<std::uint64_t> words_;
};

}  // namespace potok::server
