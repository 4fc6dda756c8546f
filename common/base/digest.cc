#include "common/base/digest.h"

#include <openssl/evp.h>

#include "common/base/check.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr char kHex[] = "0123456789abcdef";

int ValueOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string Digest::Hex() const {
  std::string text;
  text.reserve(sha256.size() * 2);
  for (const std::uint8_t byte : sha256) {
    text.push_back(kHex[byte >> 4U]);
    text.push_back(kHex[byte & 15U]);
  }
  return text;
}

absl::StatusOr<Digest> ParseDigest(const std::string& hex, std::int64_t size_bytes) {
  Digest digest;
  if (hex.size() != digest.sha256.size() * 2 || size_bytes < 0) {
    return absl::InvalidArgumentError(
        fmt::format("a digest is 64 hexadecimal characters and a size, not '{}' and {}",
                    hex.substr(0, 80),
                    size_bytes));
  }
  for (std::size_t i = 0; i < digest.sha256.size(); ++i) {
    const int high = ValueOf(hex[2 * i]);
    const int low = ValueOf(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(fmt::format("'{}' is not lower-case hexadecimal", hex));
    }
    digest.sha256[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  digest.size_bytes = size_bytes;
  return digest;
}

Digest DigestOf(const std::string& content) {
  Hasher hasher;
  hasher.Update(content.data(), content.size());
  return hasher.Finish();
}

struct Hasher::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  std::int64_t size_bytes = 0;

  Context() { Reset(); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void Reset() {
    POTOK_CHECK(evp != nullptr && EVP_DigestInit_ex(evp, EVP_sha256(), nullptr) == 1);
    size_bytes = 0;
  }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::Update(const void* data, std::size_t size) {
  POTOK_CHECK(EVP_DigestUpdate(context_->evp, data, size) == 1);
  context_->size_bytes += static_cast<std::int64_t>(size);
}

Digest Hasher::Finish() {
  Digest digest;
  unsigned int length = 0;
  POTOK_CHECK(EVP_DigestFinal_ex(context_->evp, digest.sha256.data(), &length) == 1);
  digest.size_bytes = context_->size_bytes;
  context_->Reset();
  return digest;
}

}  // namespace potok
