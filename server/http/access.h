// Who may call over HTTP: whoever has the token of a 0600 file, or the cookie that a browser got
// for a one-time link.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/runtime/mutex.h"

namespace potok::server {

// Thread-safe.
class Access {
 public:
  // Reads the token from `path`, or makes a new one there (mode 0600). FAILED_PRECONDITION when
  // others can read the file or it holds no token; UNAVAILABLE when it cannot be read or made.
  static absl::StatusOr<std::unique_ptr<Access>> Open(const std::string& path);

  // Whether an Authorization header is "Bearer TOKEN". Takes the same time for every wrong token.
  bool IsToken(const std::string& authorization) const;

  // A secret for one purpose, which tells nothing of the token and ends with it.
  std::string SecretFor(const std::string& purpose) const;

  // A code that opens a browser session once, before `now` + kLinkLife.
  std::string MakeCode(absl::Time now);
  // The value of a session cookie for a code that is good; empty for others, and from then on.
  std::string TakeCode(const std::string& code, absl::Time now);
  // Whether a cookie value is one that was given within kSessionLife. Cookies outlive the server's
  // restarts, and end when the token file is replaced.
  bool IsSession(const std::string& cookie, absl::Time now) const;

  static constexpr absl::Duration kLinkLife = absl::Minutes(5);
  static constexpr absl::Duration kSessionLife = absl::Hours(24 * 30);

 private:
  explicit Access(std::string token) : token_(std::move(token)) {}
  std::string SessionOf(const std::string& ends) const;
  std::string Sign(const std::string& text) const;

  const std::string token_;
  Mutex mutex_;
  std::map<std::string, absl::Time> codes_ ABSL_GUARDED_BY(mutex_);  // and when they end
};

}  // namespace potok::server
