// Python environments that this machine has built: one folder for each digest of what is in it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/runtime/named_turns.h"
#include "agent/runtime/run_program.h"
#include "common/pipeline/environment.h"

namespace potok::agent {

struct PythonOptions {
  std::string folder;          // of all environments
  std::string attempts;        // the agent's: their files `runtime` say what is used
  std::int64_t bytes_max = 0;  // 0: no limit
  std::map<std::string, std::string> environment;  // of pip and conda
};

struct PythonEnvironment {
  std::string folder;  // bin/python is in it
  std::string shown;   // "python 3.11 sha256:..."
};

// What builds an environment: its steps in order, for PythonPackages in FOLDER. `python` is the
// interpreter to make a venv of; empty: conda has to bring it. `conda` may be empty.
// FAILED_PRECONDITION naming what this machine lacks.
absl::StatusOr<std::vector<std::vector<std::string>>> BuildSteps(const PythonPackages& packages,
                                                                 const std::string& python,
                                                                 const std::string& conda,
                                                                 const std::string& folder);

// Blocks; any thread.
class PythonEnvironments {
 public:
  explicit PythonEnvironments(PythonOptions options) : options_(std::move(options)) {}

  // The folder of an environment that is shown so; empty if that tells of none.
  std::string FolderOf(const std::string& shown) const;

  // The environment with these packages, built if it is not there: one at a time, what it says goes
  // to the attempt's log. FAILED_PRECONDITION with the last words of what failed.
  absl::StatusOr<PythonEnvironment> Get(const PythonPackages& packages,
                                        const std::string& log,
                                        const std::function<bool()>& canceled);

 private:
  absl::Status Build(const PythonPackages& packages,
                     const std::string& python,
                     const std::string& folder,
                     const std::string& log,
                     const std::function<bool()>& canceled);
  // Removes what was used longest ago until the rest fits.
  void Collect(const std::string& but);

  const PythonOptions options_;
  NamedTurns builds_;
};

}  // namespace potok::agent
