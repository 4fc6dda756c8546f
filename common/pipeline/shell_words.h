// Which words of a bash command are reserved ones, as far as it takes to tell the ')' of a case
// pattern from the ')' that ends $(...). Pure; one thread.
#pragma once

#include <cstddef>
#include <string>

namespace potok {

class ShellWords {
 public:
  bool in_word() const { return begin_ != std::string::npos; }
  std::size_t begin() const { return begin_; }
  // True where the next ')' ends a pattern of `case`.
  bool in_pattern() const { return in_pattern_; }
  bool in_case() const { return open_cases_ > 0; }

  void Begin(std::size_t position) {
    if (!in_word()) begin_ = position;
  }
  // Ends the word that stands before `position` in `text`, if there is one.
  void End(const std::string& text, std::size_t position);
  // A separator of commands was read: the next word may be a reserved one.
  void StartCommand() { at_command_ = true; }
  // A redirection was read: its target is no reserved word.
  void StartArgument() { at_command_ = false; }
  void StartPattern() { in_pattern_ = true; }
  void EndPattern() {
    in_pattern_ = false;
    at_command_ = true;
  }

 private:
  enum class CaseWord { kNone, kSubject, kIn };

  std::size_t begin_ = std::string::npos;
  bool at_command_ = true;
  bool in_pattern_ = false;
  int open_cases_ = 0;
  CaseWord expected_ = CaseWord::kNone;
};

}  // namespace potok
