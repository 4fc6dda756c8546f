// Folders of ended attempts, kept for new ones: an attempt of a small step then makes no inode and
// frees none. Making and removing nine of them costs more than starting the command, and ext4
// without a journal searches past every inode that was freed in the last minutes
// (docs/benchmarks.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/domain/attempt_paths.h"

namespace potok::agent {

// One thread; calls take some tens of microseconds.
class SpareFolders {
 public:
  // `folder` is for this object alone; it must lie on the same file system as the attempts. What
  // an earlier agent left in it is removed.
  explicit SpareFolders(std::string folder);

  // Makes a spare the folder of a new attempt, whole or not at all: the order is written before
  // the folder gets its name. False if there is none; the caller then makes a new folder.
  bool Take(const AttemptPaths& paths, const std::string& serialized_order);

  // Keeps the folder of an attempt that has ended and of which nothing is alive. False, and
  // nothing has changed but the content of the attempt's own files, if it holds anything that the
  // command made or changed, or if there are enough: the caller then removes it.
  bool Give(const AttemptPaths& paths);

 private:
  const std::string folder_;
  std::uint64_t last_ = 0;
  std::vector<std::string> spares_;
};

}  // namespace potok::agent
