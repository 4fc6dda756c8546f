// The lease deadline in memory that the shims share: they outlive the agent and end their attempts
// by it even when the agent hangs.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/executor/unique_fd.h"

namespace potok::agent {

// One thread writes; shims read at any time.
class LeasePage {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;

  // Maps the file, which is made when absent. A deadline of an earlier agent of the same boot goes
  // on to count; otherwise there is none.
  static absl::StatusOr<LeasePage> Open(const std::string& path, const std::string& boot_id);

  LeasePage(LeasePage&& other) noexcept;
  LeasePage& operator=(LeasePage&&) = delete;
  ~LeasePage();

  // Nanoseconds of CLOCK_BOOTTIME, or kNever.
  void Set(std::int64_t deadline);
  std::int64_t Get() const;

  int fd() const { return file_.get(); }

 private:
  struct Page;
  LeasePage(UniqueFd file, Page* page);

  UniqueFd file_;
  Page* page_;
};

}  // namespace potok::agent
