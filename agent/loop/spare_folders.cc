#include "agent/loop/spare_folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <initializer_list>

namespace potok::agent {
namespace {

// As many as may be needed at once on a large machine; more than that are removed.
constexpr std::size_t kSparesMax = 256;
// The contents of larger files are given back to the disk with the file.
constexpr off_t kKeptBytesMax = 1 << 20;

// True if the folder holds nothing but these names. Not all need be there.
bool HoldsOnly(const std::string& path, std::initializer_list<const char*> names) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return false;
  bool only = true;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    only = only && (name == "." || name == ".." || std::ranges::find(names, name) != names.end());
  }
  closedir(folder);
  return only;
}

// Kind, rights and owner: the command may have taken rights away or put a link in a folder's place.
bool HaveEqualRights(const std::vector<std::string>& paths) {
  struct stat first {};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    struct stat facts {};
    if (lstat(paths[i].c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return false;
    if (i == 0) first = facts;
    if (facts.st_mode != first.st_mode || facts.st_uid != first.st_uid) return false;
  }
  return true;
}

// Replaces the content of a file that is not cut to nothing in between.
bool WriteWhole(const std::string& path, const std::string& content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return false;
  const auto size = static_cast<off_t>(content.size());
  const bool written = pwrite(file, content.data(), content.size(), 0) == size;
  const bool cut = written && ftruncate(file, size) == 0;
  return close(file) == 0 && cut;
}

// A file that nobody but this folder holds, or none.
bool IsOwn(const std::string& path, off_t* size) {
  *size = 0;
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return errno == ENOENT;
  *size = facts.st_size;
  return S_ISREG(facts.st_mode) && facts.st_nlink == 1;
}

bool Empty(const std::string& path) {
  off_t size = 0;
  if (!IsOwn(path, &size) || size > kKeptBytesMax) return false;
  return size == 0 || truncate(path.c_str(), 0) == 0;
}

// The state of an attempt that has not started: all zeros. Not truncated: ext4 writes a file to
// the disk when it is closed after it was cut to nothing (ext4(5), auto_da_alloc).
bool ClearState(const std::string& path) {
  static constexpr char kZeros[1024] = {};
  off_t size = 0;
  if (!IsOwn(path, &size) || size > static_cast<off_t>(sizeof(kZeros))) return false;
  if (size == 0) return true;
  return WriteWhole(path, std::string(kZeros, static_cast<std::size_t>(size)));
}

void RemoveAll(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) spdlog::warn("folder not removed path={} error=\"{}\"", path, error.message());
}

}  // namespace

SpareFolders::SpareFolders(std::string folder) : folder_(std::move(folder)) {
  RemoveAll(folder_);
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) spdlog::warn("no spare folders path={} error=\"{}\"", folder_, error.message());
}

bool SpareFolders::Take(const AttemptPaths& paths, const std::string& serialized_order) {
  if (spares_.empty()) return false;
  const std::string spare = std::move(spares_.back());
  spares_.pop_back();
  if (WriteWhole(AttemptPaths(spare).order(), serialized_order) &&
      rename(spare.c_str(), paths.folder.c_str()) == 0) {
    return true;
  }
  RemoveAll(spare);
  return false;
}

bool SpareFolders::Give(const AttemptPaths& paths) {
  if (spares_.size() >= kSparesMax) return false;
  const std::string work = paths.work();
  const std::string outputs = work + "/outputs";
  const std::string logs = work + "/logs";
  // The spares' own folder has the rights that the agent gives to folders.
  const bool clean =
      HoldsOnly(paths.folder, {"order", "state", "log", "script", "work", "tmp"}) &&
      HoldsOnly(work, {"outputs", "logs"}) && HoldsOnly(paths.temporary(), {}) &&
      HoldsOnly(outputs, {}) && HoldsOnly(logs, {}) &&
      HaveEqualRights({folder_, paths.folder, work, outputs, logs, paths.temporary()});
  if (!clean) return false;
  if (!ClearState(paths.state()) || !Empty(paths.log()) || !Empty(paths.script())) return false;
  std::string spare = folder_ + "/" + std::to_string(++last_);
  if (rename(paths.folder.c_str(), spare.c_str()) != 0) return false;
  spares_.push_back(std::move(spare));
  return true;
}

}  // namespace potok::agent
