// Tells one thread that a file was written to, at the cost of nothing while it is not. One thread
// calls all but Wake.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/attempt.h"

namespace potok::agent {

class LogWatch {
 public:
  LogWatch();
  ~LogWatch();
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  // The next write to the file, and only that one, ends a Wait that names `key`: a file that is
  // written to without a pause costs its writer nothing more than once for each call. A write
  // before this call does not count. False if the kernel gives no watch (inotify(7): too many, or
  // no such file).
  bool Arm(const AttemptKey& key, const std::string& path);
  void Disarm(const AttemptKey& key);

  // Returns after a write, a Wake, or `timeout`; at once if one of them came before. The keys that
  // were written to; they are no longer armed.
  std::vector<AttemptKey> Wait(absl::Duration timeout);

  // From any thread: ends a Wait, or the next one.
  void Wake() const;

 private:
  std::vector<AttemptKey> TakeEvents();

  int inotify_ = -1;  // -1: there is none; nothing can be armed
  int wake_ = -1;
  std::map<int, AttemptKey> keys_;  // by watch descriptor
  std::map<AttemptKey, int> armed_;
};

}  // namespace potok::agent
