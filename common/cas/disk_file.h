// Files by descriptor, with errors that name the path and the bytes. For the .cc files of this
// folder and of the stores built on it. Everything blocks on the disk; a descriptor belongs to one
// thread.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/digest.h"

namespace potok {

// Owns a descriptor; closes it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return fd_; }
  int Release();

 private:
  int fd_ = -1;
};

// What the kernel said about an action on a path: NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
// RESOURCE_EXHAUSTED (full disk, quota, file size limit), INVALID_ARGUMENT (a name that is too
// long, a link where none may be), else UNAVAILABLE.
absl::Status DiskError(int error_number, const std::string& action, const std::string& path);

// open(2) with O_CLOEXEC.
absl::StatusOr<Fd> OpenFile(const std::string& path, int flags, mode_t mode = 0);

// Writes all of it at the descriptor's position.
absl::Status WriteAll(int fd, const void* data, std::size_t size, const std::string& path);

// The same, but leaves holes for zeros, so that a sparse file stays one. The file must end at the
// descriptor's position, and ends there afterwards too.
absl::Status AppendSparsely(int fd, const void* data, std::size_t size, const std::string& path);

absl::StatusOr<std::string> ReadWholeFile(const std::string& path);
// The same from the descriptor's position on.
absl::StatusOr<std::string> ReadWholeFile(int fd, const std::string& path);

// Reads the descriptor from its position to the end into the hasher; the number of bytes read.
absl::StatusOr<std::int64_t> HashRest(int fd, Hasher& hasher, const std::string& path);

// Copies the whole of `from` (opened for reading, at its start) into the empty `to`, sharing blocks
// where the disk can, and returns the digest of what `to` then holds.
absl::StatusOr<Digest> CopyAndHash(int from, int to, const std::string& path);

// Makes entries of a folder last; UNAVAILABLE if it cannot.
absl::Status SyncFolder(const std::string& path);

// Makes everything written to the disk of this file or folder last.
absl::Status SyncDisk(const std::string& path);

// Removes a file, or a folder with everything below, without following links. Nothing there is OK.
absl::Status RemoveTree(const std::string& path);

}  // namespace potok
