#include "agent/executor/lease_page.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/executor/attempt_state.h"
#include "agent/executor/small_files.h"

namespace potok::agent {

struct LeasePage::Page {
  std::int64_t deadline;
  char boot_id[40];
};

LeasePage::LeasePage(UniqueFd file, Page* page) : file_(std::move(file)), page_(page) {}

LeasePage::LeasePage(LeasePage&& other) noexcept
    : file_(std::move(other.file_)), page_(std::exchange(other.page_, nullptr)) {}

LeasePage::~LeasePage() {
  if (page_ != nullptr) munmap(page_, sizeof(Page));
}

absl::StatusOr<LeasePage> LeasePage::Open(const std::string& path, const std::string& boot_id) {
  UniqueFd file = MoveAboveShims(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return ErrnoStatus(errno, "open", path);
  // Blocks are taken now: a store into a mapped hole of a full disk is a SIGBUS.
  if (const int error = posix_fallocate(file.get(), 0, sizeof(Page)); error != 0) {
    return ErrnoStatus(error, "reserve space for", path);
  }
  void* memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return ErrnoStatus(errno, "map", path);
  LeasePage lease(std::move(file), static_cast<Page*>(memory));
  if (boot_id != std::string(lease.page_->boot_id, strnlen(lease.page_->boot_id, 40))) {
    lease.Set(kNever);
    std::strncpy(lease.page_->boot_id, boot_id.c_str(), sizeof(Page::boot_id) - 1);
  }
  return lease;
}

void LeasePage::Set(std::int64_t deadline) {
  __atomic_store_n(&page_->deadline, deadline, __ATOMIC_RELAXED);
}

std::int64_t LeasePage::Get() const {
  return __atomic_load_n(&page_->deadline, __ATOMIC_RELAXED);
}

}  // namespace potok::agent
