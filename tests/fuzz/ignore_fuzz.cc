// .amlignore files and the paths they are asked about: the paths are the lines behind "%%".
#include <fstream>
#include <sstream>

#include "common/cas/ignore.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  const std::string text = TextOf(data, size);
  const std::string mark = "%%\n";
  const std::size_t at = text.find(mark);
  {
    std::ofstream file(PrivateFolder() + "/.amlignore", std::ios::binary);
    file << text.substr(0, at);
    POTOK_CHECK(file.flush());
  }
  const auto ignored = IgnoreRulesOf(PrivateFolder());
  POTOK_CHECK(ignored.ok());
  std::istringstream paths(at == std::string::npos ? "a/b/c.txt" : text.substr(at + mark.size()));
  for (std::string path; std::getline(paths, path);) {
    (*ignored)(path);
  }
  return 0;
}
