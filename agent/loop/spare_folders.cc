#include "agent/loop/spare_folders.h"

#include <dirent.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <initializer_list>

#include "agent/loop/whole_file.h"

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

// The state of an attempt that has not started: all zeros.
bool ClearState(const std::string& path) {
  static constexpr char kZeros[1024] = {};
  off_t size = 0;
  if (!IsOwn(path, &size) || size > static_cast<off_t>(sizeof(kZeros))) return false;
  if (size == 0) return true;
  return WriteFile(path, std::string(kZeros, static_cast<std::size_t>(size))).ok();
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
  if (WriteFile(AttemptPaths(spare).order(), serialized_order).ok() &&
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
  // Order and script are overwritten by the next attempt that has one.
  off_t size = 0;
  if (!IsOwn(paths.order(), &size) || !IsOwn(paths.script(), &size)) return false;
  if (!ClearState(paths.state()) || !Empty(paths.log())) return false;
  std::string spare = folder_ + "/" + std::to_string(++last_);
  if (rename(paths.folder.c_str(), spare.c_str()) != 0) return false;
  spares_.push_back(std::move(spare));
  return true;
}

}  // namespace potok::agent
