#include "server/rpc/cas/resource_name.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "fmt/format.h"

namespace potok::server {

namespace {

std::vector<std::string> Split(const std::string& name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsIdCharacter(char c) {
  return IsDigit(c) || c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The digest in the last two of `parts`; one blob has one name, so no zeros in front.
std::optional<Digest> DigestAtEnd(const std::vector<std::string>& parts) {
  const std::string& size = parts.back();
  if (size.empty() || size.size() > 18 || (size.size() > 1 && size[0] == '0')) return std::nullopt;
  if (!std::ranges::all_of(size, IsDigit)) return std::nullopt;
  auto digest = ParseDigest(parts[parts.size() - 2], std::stoll(size));
  if (!digest.ok()) return std::nullopt;
  return *digest;
}

absl::Status NotA(const std::string& form, const std::string& name) {
  std::string shown;
  for (const char c : name.substr(0, 200)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  return absl::InvalidArgumentError(fmt::format("'{}' is not of the form {}", shown, form));
}

}  // namespace

absl::StatusOr<Digest> ParseReadName(const std::string& name) {
  const std::vector<std::string> parts = Split(name);
  if (parts.size() == 3 && parts[0] == "blobs") {
    if (const auto digest = DigestAtEnd(parts)) return *digest;
  }
  return NotA("blobs/HASH/SIZE", name);
}

absl::StatusOr<UploadName> ParseWriteName(const std::string& name) {
  const std::vector<std::string> parts = Split(name);
  if (parts.size() == 5 && parts[0] == "uploads" && parts[2] == "blobs") {
    const std::string& id = parts[1];
    const auto digest = DigestAtEnd(parts);
    if (digest && !id.empty() && id.size() <= 64 && std::ranges::all_of(id, IsIdCharacter)) {
      return UploadName{id, *digest};
    }
  }
  return NotA("uploads/ID/blobs/HASH/SIZE", name);
}

}  // namespace potok::server
