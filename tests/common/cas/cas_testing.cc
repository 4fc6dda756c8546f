#include "tests/common/cas/cas_testing.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "common/base/check.h"

namespace potok {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string path = (fs::temp_directory_path() / "potok-cas-XXXXXX").string();
  POTOK_CHECK(mkdtemp(path.data()) != nullptr);
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

void WriteFile(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  POTOK_CHECK(file.good());
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  POTOK_CHECK(file.good());
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::map<std::string, std::string> Listing(const std::string& path) {
  std::map<std::string, std::string> listing;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string name = entry.path().string().substr(path.size() + 1);
    if (entry.is_symlink()) {
      listing[name] = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_directory()) {
      listing[name + "/"] = "";
    } else {
      const bool runs = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      listing[name] = (runs ? "x:" : "") + ReadFile(entry.path().string());
    }
  }
  return listing;
}

std::string Noise(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::unique_ptr<BlobStore> OpenStore(const std::string& root, std::int64_t bytes_max) {
  auto store = BlobStore::Open({.root = root, .durable = false, .bytes_max = bytes_max});
  POTOK_CHECK(store.ok());
  return *std::move(store);
}

}  // namespace potok
