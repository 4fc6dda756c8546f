// Content addresses: SHA-256 and size. Values; safe to use from any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace potok {

// Names content by what it is. Two equal digests name equal bytes.
struct Digest {
  std::array<std::uint8_t, 32> sha256{};
  std::int64_t size_bytes = 0;

  // 64 lower-case hexadecimal characters.
  std::string Hex() const;

  auto operator<=>(const Digest&) const = default;
};

// Reads 64 lower-case hexadecimal characters and a size of at least 0; INVALID_ARGUMENT otherwise.
absl::StatusOr<Digest> ParseDigest(const std::string& hex, std::int64_t size_bytes);

Digest DigestOf(const std::string& content);

// Digest of content that arrives in pieces. One thread.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void Update(const void* data, std::size_t size);
  // The digest of all pieces. The hasher is empty again afterwards.
  Digest Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace potok
