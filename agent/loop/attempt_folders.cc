#include "agent/loop/attempt_folders.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "agent/link/wire.h"
#include "agent/loop/whole_file.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status ReplaceFile(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".new";
  POTOK_RETURN_IF_ERROR(WriteFile(temporary, content));
  if (rename(temporary.c_str(), path.c_str()) != 0) return DiskError("rename to", path);
  return absl::OkStatus();
}

std::optional<std::string> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string content;
  char buffer[65536];
  ssize_t count = 0;
  while ((count = read(file, buffer, sizeof buffer)) > 0) {
    content.append(buffer, static_cast<std::size_t>(count));
  }
  close(file);
  if (count < 0) return std::nullopt;
  return content;
}

std::optional<AttemptKey> ParseKey(const std::string& name) {
  AttemptKey key;
  int length = 0;
  if (std::sscanf(name.c_str(), "%ld.%u.%u%n", &key.run, &key.index, &key.attempt, &length) != 3) {
    return std::nullopt;
  }
  if (ToString(key) != name) return std::nullopt;
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AttemptFolders>> AttemptFolders::Open(
    const std::string& state_folder, const std::string& boot_id) {
  std::error_code error;
  std::filesystem::create_directories(state_folder + "/attempts", error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("could not make the state folder {}: {}; choose another with --state",
                    state_folder,
                    error.message()));
  }
  const std::string path = state_folder + "/agent.lock";
  const int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) return DiskError("open", path);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return absl::AlreadyExistsError(fmt::format(
        "another potok-agent runs on the state folder {}; stop it, or choose another with --state",
        state_folder));
  }
  std::unique_ptr<AttemptFolders> folders(new AttemptFolders(state_folder, lock));
  POTOK_RETURN_IF_ERROR(folders->ReadIdentity(boot_id));
  return folders;
}

AttemptFolders::AttemptFolders(std::string state_folder, int lock)
    : state_folder_(std::move(state_folder)), lock_(lock), spares_(state_folder_ + "/spare") {}

AttemptFolders::~AttemptFolders() {
  close(lock_);
}

absl::Status AttemptFolders::ReadIdentity(const std::string& boot_id) {
  const std::string id_path = state_folder_ + "/agent-id";
  state_id_ = ReadFile(id_path).value_or("");
  if (state_id_.empty()) {
    state_id_ = RandomId(20);
    POTOK_RETURN_IF_ERROR(ReplaceFile(id_path, state_id_));
  }
  const std::string boot_path = state_folder_ + "/boot-id";
  same_boot_ = ReadFile(boot_path).value_or(boot_id) == boot_id;
  return ReplaceFile(boot_path, boot_id);
}

AttemptPaths AttemptFolders::PathsOf(const AttemptKey& key) const {
  return AttemptPaths(state_folder_ + "/attempts/" + ToString(key));
}

std::vector<FoundAttempt> AttemptFolders::Scan() {
  std::vector<FoundAttempt> found;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(state_folder_ + "/attempts", error)) {
    const std::optional<AttemptKey> key = ParseKey(entry.path().filename());
    if (!key) continue;
    if (std::optional<FoundAttempt> attempt = Look(*key)) {
      found.push_back(*std::move(attempt));
    } else {
      std::filesystem::remove_all(entry.path(), error);
    }
  }
  std::sort(found.begin(), found.end(), [](const FoundAttempt& a, const FoundAttempt& b) {
    return a.key < b.key;
  });
  return found;
}

std::optional<FoundAttempt> AttemptFolders::Look(const AttemptKey& key) const {
  const AttemptPaths paths = PathsOf(key);
  const std::optional<std::string> order = ReadFile(paths.order());
  if (!order) return std::nullopt;
  FoundAttempt found;
  found.key = key;
  if (absl::StatusOr<AttemptOrder> parsed = ParseOrder(key, *order); parsed.ok()) {
    found.order = *std::move(parsed);
  }
  if (const std::optional<std::string> report = ReadFile(paths.report())) {
    absl::StatusOr<Report> parsed = ParseReport(*report);
    if (parsed.ok() && parsed->key == key) found.report = std::move(parsed->event);
  }
  // In a recycled folder the state is all zeros until the shim's record is written over it.
  const std::string state = ReadFile(paths.state()).value_or("");
  found.launched = state.find_first_not_of('\0') != std::string::npos;
  found.runtime = ReadFile(paths.runtime()).value_or("");
  struct stat log {};
  if (stat(paths.log().c_str(), &log) == 0) found.log_bytes = log.st_size;
  return found;
}

absl::Status AttemptFolders::Create(const AttemptPaths& paths,
                                    const std::string& serialized_order) {
  if (spares_.Take(paths, serialized_order)) return absl::OkStatus();
  if (mkdir(paths.folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return DiskError("make the folder", paths.folder);
  }
  return ReplaceFile(paths.order(), serialized_order);
}

absl::Status AttemptFolders::WriteScript(const AttemptPaths& paths, const std::string& script) {
  return WriteFile(paths.script(), script);
}

absl::Status AttemptFolders::WriteRuntime(const AttemptPaths& paths, const std::string& runtime) {
  return WriteFile(paths.runtime(), runtime);
}

absl::Status AttemptFolders::WriteVariables(const AttemptPaths& paths,
                                            const std::string& variables) {
  POTOK_RETURN_IF_ERROR(WriteFile(paths.variables(), ""));
  if (chmod(paths.variables().c_str(), 0600) != 0) return DiskError("protect", paths.variables());
  return WriteFile(paths.variables(), variables);
}

std::set<std::string> AttemptFolders::Names() const {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(state_folder_ + "/attempts", error)) {
    names.insert(entry.path().filename());
  }
  return names;
}

absl::Status AttemptFolders::WriteReport(const AttemptPaths& paths, const Report& report) {
  return ReplaceFile(paths.report(), SerializeReport(report));
}

}  // namespace potok::agent
