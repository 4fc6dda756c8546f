// Folders and files of a disk as content-addressed trees (REAPI Directory messages), and back.
// Blocks on the disk.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/digest.h"
#include "common/pipeline/spec.h"

namespace potok {

// A blob to upload: bytes in memory (Directory messages), or a file on disk.
struct SnapshotBlob {
  Digest digest;
  std::variant<std::string, std::string> content;  // index 0: bytes; index 1: path of a file
  // Of a file: when it was changed last before it was hashed (st_ctim); InfinitePast if that was so
  // lately that a later change would not show.
  absl::Time changed = absl::InfinitePast();
};

struct Snapshot {
  Artifact artifact;
  std::vector<SnapshotBlob> blobs;  // each digest once
  std::int64_t file_count = 0;
};

struct SnapshotOptions {
  // True for what stays out; `relative` uses '/', folders end in '/'. Unset: everything goes in.
  std::function<bool(const std::string& relative)> ignored;
  // Follow symbolic links (code snapshots) or keep those that point inside the folder, and refuse
  // others (outputs).
  bool follow_symlinks = false;
  // More files, folders and links than this are refused: they could not be laid out again
  // (PlanTree). Links that are followed can make a small folder a large one.
  std::size_t entries_max = 2'000'000;
  // Extra files and folders merged into the root (additional_includes), absolute paths. "x/lib.zip"
  // where there is no such file but a folder x/lib: a zip of that folder, as Azure ML's client
  // makes one.
  std::vector<std::string> additional_includes;
};

// Hashes a folder. Equal folders (names, bytes, executable bits, links) give equal digests; times,
// owners and other mode bits do not count. INVALID_ARGUMENT for names that are not UTF-8 or hold
// '/', sockets, devices; a file that changes while it is read is ABORTED.
absl::StatusOr<Snapshot> SnapshotFolder(const std::string& path, const SnapshotOptions& options);
absl::StatusOr<Snapshot> SnapshotFile(const std::string& path);

}  // namespace potok
