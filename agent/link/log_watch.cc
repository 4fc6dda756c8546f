#include "agent/link/log_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "common/base/check.h"

namespace potok::agent {
namespace {

timespec TimespecOf(absl::Duration duration) {
  // ppoll(2) takes no longer time than this on any system.
  constexpr absl::Duration kLongest = absl::Hours(24);
  return absl::ToTimespec(std::clamp(duration, absl::ZeroDuration(), kLongest));
}

}  // namespace

LogWatch::LogWatch()
    : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  POTOK_CHECK(wake_ >= 0);
}

LogWatch::~LogWatch() {
  if (inotify_ >= 0) close(inotify_);
  close(wake_);
}

bool LogWatch::Arm(const AttemptKey& key, const std::string& path) {
  if (armed_.contains(key)) return true;
  const int watch = inotify_add_watch(inotify_, path.c_str(), IN_MODIFY | IN_ONESHOT);
  if (watch < 0) return false;
  keys_[watch] = key;
  armed_[key] = watch;
  return true;
}

void LogWatch::Disarm(const AttemptKey& key) {
  const auto found = armed_.find(key);
  if (found == armed_.end()) return;
  // The same file under another name has the same watch, which then is that one's.
  if (const auto key_of = keys_.find(found->second);
      key_of != keys_.end() && key_of->second == key) {
    // Fails for a file that is gone, whose watch the kernel has removed.
    inotify_rm_watch(inotify_, found->second);
    keys_.erase(key_of);
  }
  armed_.erase(found);
}

std::vector<AttemptKey> LogWatch::Wait(absl::Duration timeout) {
  std::array<pollfd, 2> files = {pollfd{wake_, POLLIN, 0}, pollfd{inotify_, POLLIN, 0}};
  const timespec time = TimespecOf(timeout);
  if (ppoll(files.data(), files.size(), &time, nullptr) <= 0) return {};
  if (files[0].revents != 0) {
    std::uint64_t count = 0;
    if (read(wake_, &count, sizeof count) < 0) return {};
  }
  return files[1].revents == 0 ? std::vector<AttemptKey>() : TakeEvents();
}

std::vector<AttemptKey> LogWatch::TakeEvents() {
  std::vector<AttemptKey> written;
  std::array<char, 4096> bytes{};
  ssize_t got = 0;
  while ((got = read(inotify_, bytes.data(), bytes.size())) > 0) {
    inotify_event event{};
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); at += sizeof event + event.len) {
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const auto found = keys_.find(event.wd);
      if (found == keys_.end()) continue;
      // IN_MODIFY, or IN_IGNORED when the file or its watch is gone: both are worth a look.
      written.push_back(found->second);
      armed_.erase(found->second);
      keys_.erase(found);
    }
  }
  return written;
}

void LogWatch::Wake() const {
  const std::uint64_t one = 1;
  // Fails only when it is full of wakes that nobody has seen yet.
  if (write(wake_, &one, sizeof one) < 0) return;
}

}  // namespace potok::agent
