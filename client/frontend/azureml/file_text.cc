#include "client/frontend/azureml/file_text.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// The bytes of the UTF-8 sequence at `text[at]`, or 0 (RFC 3629, section 4).
std::size_t SequenceLength(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
  };
  const auto follows = [&](std::size_t offset) { return (byte(offset) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if ((first & 0xF0U) == 0xE0U) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_overlong = first == 0xF0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xF4 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !is_overlong && !is_beyond ? 4 : 0;
  }
  return 0;
}

absl::Status LastError() {
  return absl::Status(absl::ErrnoToStatusCode(errno), std::strerror(errno));
}

}  // namespace

absl::StatusOr<std::string> ReadFileText(const std::string& path, std::size_t bytes_max) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return LastError();
  if (!S_ISREG(status.st_mode)) return absl::InvalidArgumentError("this is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > bytes_max) {
    return absl::InvalidArgumentError(
        fmt::format("it has {} bytes, and {} are allowed", status.st_size, bytes_max));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return LastError();
  std::ostringstream text;
  if (status.st_size != 0) text << stream.rdbuf();
  if (!stream || !text) return absl::DataLossError("reading it failed");
  return text.str();
}

std::optional<std::size_t> FindBadByte(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool is_control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const std::size_t length = SequenceLength(text, at);
    if (length == 0 || is_control || byte == 0x7F) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace potok::client
