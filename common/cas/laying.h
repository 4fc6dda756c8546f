// Puts a planned tree on the disk, whole or not at all. Only for the .cc files of this folder.
// Blocks on the disk.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/tree_plan.h"

namespace potok {

enum class Laying {
  kCopy,   // private, writable copies
  kLink,   // hard links where possible, else read-only copies; read-only folders
  kAdopt,  // the blob's own file, made writable: the store it comes from is thrown away afterwards
};

// Gives the path of a blob that is there and stays while it is being laid.
using PathOfBlob = std::function<absl::StatusOr<std::string>(const Digest&)>;

// Makes `path`, which must not exist, out of the plan. On error a part of it may be there.
absl::Status LayPlan(const TreePlan& plan,
                     const std::string& path,
                     Laying laying,
                     const PathOfBlob& path_of);

// Calls `make` with a free name beside `path`, then moves what was made there to `path`, in one
// step. What is at `path` already is replaced, or ALREADY_EXISTS. On error nothing stays.
absl::Status MakeBeside(const std::string& path,
                        bool replace,
                        const std::function<absl::Status(const std::string&)>& make);

}  // namespace potok
