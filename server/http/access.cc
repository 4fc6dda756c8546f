#include "server/http/access.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::size_t kTokenCharacters = 40;  // of 36: 206 bits
constexpr std::size_t kTokenCharactersMin = 16;
constexpr std::size_t kCodeCharacters = 32;
constexpr std::size_t kCodesMax = 1000;

bool Same(const std::string& one, const std::string& other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

absl::Status FileError(const std::string& what, const std::string& path) {
  return absl::UnavailableError(
      fmt::format("{} the token file {}: {}", what, path, std::strerror(errno)));
}

// Nothing is left at `path` unless the token is whole: it is linked there when it is written.
absl::Status WriteToken(const std::string& path, const std::string& token) {
  const std::string text = token + "\n";
  const std::string made = path + ".tmp";
  unlink(made.c_str());
  const int file = open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return FileError("making", path);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  absl::Status status = written ? absl::OkStatus() : FileError("writing", path);
  close(file);
  if (status.ok() && rename(made.c_str(), path.c_str()) != 0) status = FileError("making", path);
  if (!status.ok()) unlink(made.c_str());
  return status;
}

// Empty when there is no file.
absl::StatusOr<std::string> ReadToken(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return std::string();
    return FileError("opening", path);
  }
  struct stat info {};
  std::array<char, 1024> text{};
  const bool looked = fstat(file, &info) == 0;
  const ssize_t got = looked ? read(file, text.data(), text.size()) : -1;
  absl::Status status = got < 0 ? FileError("reading", path) : absl::OkStatus();
  close(file);
  POTOK_RETURN_IF_ERROR(status);
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("others can read the token file {}, so that its token is no secret any more: "
                    "remove it, and the server makes a new one",
                    path));
  }
  std::string token(text.data(), static_cast<std::size_t>(got));
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  const bool good =
      token.size() >= kTokenCharactersMin &&
      std::ranges::all_of(token, [](unsigned char c) { return std::isgraph(c) != 0; });
  if (!good) {
    return absl::FailedPreconditionError(
        fmt::format("the token file {} holds no token (at least {} visible characters): remove it, "
                    "and the server makes a new one",
                    path,
                    kTokenCharactersMin));
  }
  return token;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Open(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(std::string token, ReadToken(path));
  if (token.empty()) {
    token = RandomId(kTokenCharacters);
    POTOK_RETURN_IF_ERROR(WriteToken(path, token));
  }
  return std::unique_ptr<Access>(new Access(std::move(token)));
}

bool Access::IsToken(const std::string& authorization) const {
  return Same(authorization, "Bearer " + token_);
}

std::string Access::MakeCode(absl::Time now) {
  MutexLock lock(mutex_);
  std::erase_if(codes_, [now](const auto& code) { return code.second <= now; });
  if (codes_.size() >= kCodesMax) codes_.clear();
  std::string code = RandomId(kCodeCharacters);
  codes_[code] = now + kLinkLife;
  return code;
}

std::string Access::TakeCode(const std::string& code, absl::Time now) {
  {
    MutexLock lock(mutex_);
    const auto found = codes_.find(code);
    if (found == codes_.end()) return "";
    const absl::Time ends = found->second;
    codes_.erase(found);
    if (ends <= now) return "";
  }
  return SessionOf(fmt::format("{}", absl::ToUnixSeconds(now + kSessionLife)));
}

std::string Access::Sign(const std::string& text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(),
       token_.data(),
       static_cast<int>(token_.size()),
       reinterpret_cast<const unsigned char*>(text.data()),
       text.size(),
       mac.data(),
       &size);
  return absl::BytesToHexString(std::string(reinterpret_cast<const char*>(mac.data()), size));
}

std::string Access::SecretFor(const std::string& purpose) const {
  return Sign("potok secret for " + purpose);
}

// "ENDS.HMAC": nothing need be remembered of it.
std::string Access::SessionOf(const std::string& ends) const {
  return ends + "." + Sign("potok session until " + ends);
}

bool Access::IsSession(const std::string& cookie, absl::Time now) const {
  const std::string ends = cookie.substr(0, cookie.find('.'));
  std::int64_t seconds = 0;
  if (!absl::SimpleAtoi(ends, &seconds) || !Same(cookie, SessionOf(ends))) return false;
  return now < absl::FromUnixSeconds(seconds);
}

}  // namespace potok::server
