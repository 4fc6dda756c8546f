// Folders on the disk for the tests of artifacts.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"

namespace potok {

// A folder of its own for one test; removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Writes a file and the folders above it.
void WriteFile(const std::string& path, const std::string& content);
std::string ReadFile(const std::string& path);

// What a folder holds: relative path to content; folders end in '/', links begin with "-> ",
// executable files with "x:".
std::map<std::string, std::string> Listing(const std::string& path);

// `size` bytes that depend on the seed and do not compress.
std::string Noise(std::size_t size, unsigned seed);

std::unique_ptr<BlobStore> OpenStore(const std::string& root, std::int64_t bytes_max = 0);

}  // namespace potok
