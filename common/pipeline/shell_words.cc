#include "common/pipeline/shell_words.h"

#include <algorithm>
#include <iterator>

namespace potok {

namespace {

// After these the next word is the first of a command (bash(1), "RESERVED WORDS").
constexpr const char* kOpeners[] = {
    "if", "then", "else", "elif", "do", "while", "until", "!", "time", "coproc"};

bool OpensCommand(const std::string& word, bool at_command) {
  const bool is_function_name = word.size() > 2 && word.compare(word.size() - 2, 2, "()") == 0;
  if (word == "{" || is_function_name) return true;
  return at_command &&
         std::find(std::begin(kOpeners), std::end(kOpeners), word) != std::end(kOpeners);
}

}  // namespace

void ShellWords::End(const std::string& text, std::size_t position) {
  if (!in_word()) return;
  const std::string word = text.substr(begin_, position - begin_);
  begin_ = std::string::npos;
  if (expected_ == CaseWord::kSubject) {
    expected_ = CaseWord::kIn;
    return;
  }
  if (expected_ == CaseWord::kIn) {
    expected_ = CaseWord::kNone;
    in_pattern_ = word == "in";
    return;
  }
  if (word == "esac" && open_cases_ > 0 && (at_command_ || in_pattern_)) {
    --open_cases_;
    in_pattern_ = false;
    at_command_ = false;
    return;
  }
  if (word == "case" && at_command_ && !in_pattern_) {
    ++open_cases_;
    expected_ = CaseWord::kSubject;
  }
  at_command_ = OpensCommand(word, at_command_);
}

}  // namespace potok
