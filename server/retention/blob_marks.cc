#include "server/retention/blob_marks.h"

#include <algorithm>
#include <cstring>

namespace potok::server {

namespace {

constexpr std::size_t kBitsPerBlob = 16;
constexpr std::size_t kWordBits = 64;
constexpr std::size_t kWordsMin = 1024;

// splitmix64 (Steele, Lea, Flood, 2014): spreads the salt over all bits.
std::uint64_t Mix(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

}  // namespace

BlobMarks::BlobMarks(std::size_t blobs, std::uint64_t salt)
    : salt_(salt), words_(std::max(kWordsMin, blobs * kBitsPerBlob / kWordBits)) {}

std::size_t BlobMarks::BitOf(const Digest& digest, int i) const {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::memcpy(&first, digest.sha256.data(), sizeof first);
  std::memcpy(&second, digest.sha256.data() + sizeof first, sizeof second);
  const std::uint64_t mixed =
      Mix(first ^ salt_) + static_cast<std::uint64_t>(i) * (Mix(second ^ salt_) | 1U);
  return static_cast<std::size_t>(mixed % (words_.size() * kWordBits));
}

void BlobMarks::Add(const Digest& digest) {
  for (int i = 0; i < kBitsOfBlob; ++i) {
    const std::size_t bit = BitOf(digest, i);
    words_[bit / kWordBits] |= std::uint64_t{1} << (bit % kWordBits);
  }
}

bool BlobMarks::MayContain(const Digest& digest) const {
  for (int i = 0; i < kBitsOfBlob; ++i) {
    const std::size_t bit = BitOf(digest, i);
    if ((words_[bit / kWordBits] >> (bit % kWordBits) & 1U) == 0) return false;
  }
  return true;
}

}  // namespace potok::server
