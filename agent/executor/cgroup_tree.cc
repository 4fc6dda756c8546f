#include "agent/executor/cgroup_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "agent/executor/small_files.h"

namespace potok::agent {
namespace {

struct Mount {
  std::string type;  // cgroup or cgroup2
  std::string root;  // the cgroup that is visible at `point`
  std::string point;
  std::string options;  // of the file system: "rw,memory"
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// proc(5): id parent major:minor root point options [optional...] - type source options
std::vector<Mount> CgroupMounts(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string& line : Split(mountinfo, '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto front = Split(line.substr(0, dash), ' ');
    const auto back = Split(line.substr(dash + 3), ' ');
    if (front.size() < 6 || back.size() < 3) continue;
    if (back[0] != "cgroup" && back[0] != "cgroup2") continue;
    mounts.push_back({back[0], front[3], front[4], back[2]});
  }
  return mounts;
}

bool Contains(const std::vector<std::string>& words, const std::string& word) {
  for (const std::string& each : words) {
    if (each == word) return true;
  }
  return false;
}

// A mount within a container may show only the container's own cgroup, or, without a cgroup
// namespace, not the one that /proc/self/cgroup names; its root is what there is then.
std::string OwnFolder(const Mount& mount, const std::string& path) {
  std::string below = path;
  if (mount.root != "/") {
    if (path.compare(0, mount.root.size(), mount.root) != 0) return mount.point;
    below = path.substr(mount.root.size());
  }
  if (below.empty() || below == "/" || below.compare(0, 3, "/..") == 0) return mount.point;
  return mount.point + below;
}

}  // namespace

OwnCgroups FindOwnCgroups(const std::string& mountinfo, const std::string& self_cgroup) {
  OwnCgroups own;
  const std::vector<Mount> mounts = CgroupMounts(mountinfo);
  for (const std::string& line : Split(self_cgroup, '\n')) {  // hierarchy:controllers:path
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string path = line.substr(second + 1);
    const auto controllers = Split(line.substr(first + 1, second - first - 1), ',');
    for (const Mount& mount : mounts) {
      if (controllers.empty() && mount.type == "cgroup2" && own.unified.empty()) {
        own.unified_root = mount.point;
        own.unified = OwnFolder(mount, path);
      }
      if (mount.type != "cgroup") continue;
      const auto options = Split(mount.options, ',');
      for (const std::string& controller : controllers) {
        if (Contains(options, controller)) own.v1.emplace(controller, OwnFolder(mount, path));
      }
    }
  }
  return own;
}

std::int64_t QuotaMicros(std::int32_t cpu_millis) {
  return std::max<std::int64_t>(1000, std::int64_t{cpu_millis} * kCpuPeriodMicros / 1000);
}

absl::Status MakeCgroupFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return ErrnoStatus(errno, "make the cgroup", folder);
}

std::vector<std::string> FoldersIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    std::error_code unreadable;
    if (at->is_directory(unreadable)) names.push_back(at->path().filename().string());
  }
  return names;
}

bool RemoveCgroupFolder(const std::string& folder) {
  if (rmdir(folder.c_str()) == 0 || errno == ENOENT) return true;
  for (const std::string& name : FoldersIn(folder)) RemoveCgroupFolder(folder + "/" + name);
  return rmdir(folder.c_str()) == 0;
}

}  // namespace potok::agent
