#include "common/cas/parallel.h"

#include <algorithm>
#include <mutex>
#include <thread>

namespace potok {

absl::Status RunAll(const std::vector<std::function<absl::Status()>>& pieces, int threads) {
  std::mutex mutex;
  std::size_t next = 0;
  absl::Status first_failure;
  const auto work = [&] {
    for (;;) {
      std::size_t mine = 0;
      {
        const std::lock_guard lock(mutex);
        if (next == pieces.size() || !first_failure.ok()) return;
        mine = next++;
      }
      const absl::Status done = pieces[mine]();
      const std::lock_guard lock(mutex);
      if (first_failure.ok()) first_failure = done;
    }
  };
  std::vector<std::thread> others;
  const std::size_t count = std::min(pieces.size(), static_cast<std::size_t>(std::max(1, threads)));
  for (std::size_t i = 1; i < count; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return first_failure;
}

}  // namespace potok
