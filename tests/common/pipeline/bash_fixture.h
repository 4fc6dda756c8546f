// Runs rendered commands with the real bash in a folder of their own.
#pragma once

#include <string>
#include <vector>

#include "common/pipeline/command.h"

namespace potok {

// A temporary folder, removed at the end. One thread.
class BashFixture {
 public:
  BashFixture();
  ~BashFixture();
  BashFixture(const BashFixture&) = delete;
  BashFixture& operator=(const BashFixture&) = delete;

  // Runs `bash -c script` there with nothing but the command's environment, PATH, and OUT, the path
  // of a file. Returns what was written to that file, or "(nothing)".
  std::string Run(const ShellCommand& command);

  // Runs `script` in one bash, once for each value of the variable POTOK_INPUT_x. Returns
  // what each wrote to its own $OUT.
  std::vector<std::string> RunForEach(const std::string& script,
                                      const std::vector<std::string>& values);

  // True if something made the file "canary".
  bool CanaryExists() const;

 private:
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string ReadFile(const std::string& name) const;

  std::string folder_;
};

}  // namespace potok
