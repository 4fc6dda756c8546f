#include "client/cli/stack/process_identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "fmt/format.h"

namespace potok::client {
namespace {

std::string BootId() {
  std::string id = ContentOf("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

}  // namespace

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

absl::Status ReplaceFile(const std::string& path, const std::string& content) {
  const std::string beside = fmt::format("{}.{}", path, getpid());
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file || std::rename(beside.c_str(), path.c_str()) != 0) {
    std::remove(beside.c_str());
    return absl::UnavailableError(fmt::format("cannot write {}", path));
  }
  return absl::OkStatus();
}

std::optional<ProcessIdentity> IdentityOf(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const std::string stat = ContentOf(fmt::format("/proc/{}/stat", pid));
  // The command name, in parentheses, may hold blanks and parentheses itself.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string state;
  std::string field;
  fields >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  for (int i = 4; i <= 21; ++i) fields >> field;
  ProcessIdentity identity;
  identity.pid = pid;
  if (!(fields >> identity.start_ticks)) return std::nullopt;
  identity.boot_id = BootId();
  return identity;
}

bool IsAlive(const ProcessIdentity& identity) {
  const std::optional<ProcessIdentity> now = IdentityOf(identity.pid);
  return now.has_value() && *now == identity;
}

absl::Duration AgeOf(const ProcessIdentity& identity) {
  if (!IsAlive(identity)) return absl::ZeroDuration();
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double started =
      static_cast<double>(identity.start_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::max(absl::DurationFromTimespec(now) - absl::Seconds(started), absl::ZeroDuration());
}

absl::Status WritePidFile(const std::string& path, const ProcessIdentity& identity) {
  return ReplaceFile(
      path, fmt::format("{} {} {}\n", identity.pid, identity.start_ticks, identity.boot_id));
}

std::optional<ProcessIdentity> LiveProcessOf(const std::string& pid_file) {
  std::istringstream content(ContentOf(pid_file));
  ProcessIdentity identity;
  if (!(content >> identity.pid >> identity.start_ticks >> identity.boot_id)) return std::nullopt;
  if (!IsAlive(identity)) return std::nullopt;
  return identity;
}

}  // namespace potok::client
