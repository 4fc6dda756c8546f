// What is wrong in a file, and where. Values and their collector; one thread.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/pipeline/validate.h"

namespace potok::client {

// A place in a file as people and editors count it: from 1, columns in bytes. Line 0: the file as a
// whole, or an override given on the command line.
struct Located {
  std::string file;
  int line = 0;
  int column = 0;
  bool operator==(const Located&) const = default;
};

// One problem: what is wrong, and what would be right, in one line.
struct Diagnostic {
  Severity severity = Severity::kError;
  Located at;
  std::string message;
};

// "pipeline.yml:12:5: error: ..."; without the numbers when `at` has no line.
std::string ToString(const Diagnostic& diagnostic);

// A place while files are read: like Located, and cheap to copy. `file` belongs to the YamlArena.
struct Place {
  const std::string* file = nullptr;
  int line = 0;
  int column = 0;
};

// Collects diagnostics in the order found; one that was already reported is not repeated (a
// component file that ten steps use is wrong once).
class Reporter {
 public:
  void Error(const Place& at, const std::string& message);
  void Warning(const Place& at, const std::string& message);
  void Report(Severity severity, const Place& at, const std::string& message);

  // How many errors so far, repeated ones too.
  std::size_t errors() const { return errors_; }
  bool HasErrorAt(const Place& at) const;
  // Everything reported: the file `first`, then the others in the order in which they were first
  // named, each by line.
  std::vector<Diagnostic> Take(const std::string& first);

 private:
  std::vector<Diagnostic> diagnostics_;
  std::set<std::string> seen_;
  std::set<std::tuple<std::string, int, int>> error_places_;
  std::size_t errors_ = 0;
};

}  // namespace potok::client
