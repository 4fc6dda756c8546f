// The reader behind LexShell (shell_lexer.h): one function per construct of bash, each copying its
// text and calling the functions of what is nested in it. One thread; used for one command.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/shell_lexer.h"
#include "common/pipeline/shell_words.h"

namespace potok {

class ShellScanner {
 public:
  // Appends to `*pieces`, which outlives the scanner. `depth` counts the constructs around `text`.
  ShellScanner(std::string text, std::vector<ShellPiece>* pieces, int depth)
      : text_(std::move(text)), pieces_(pieces), depth_(depth) {}

  // All of the text as commands.
  absl::Status ScanCommands() { return ScanCommandsUntil('\0'); }
  // All of the text as that of a here-document whose delimiter is not quoted.
  absl::Status ScanHereText();

 private:
  struct HereDocument {
    std::string delimiter;  // without quotes
    bool quoted = false;
    bool strips_tabs = false;  // <<-
    std::size_t piece = 0;     // where the delimiter stands in the output
  };

  char At(std::size_t offset = 0) const {
    return position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
  }
  bool AtEnd() const { return position_ >= text_.size(); }
  bool AtReference(std::size_t offset = 0) const {
    return text_.compare(position_ + offset, 3, "${{") == 0;
  }
  // True if backslash and newline, which bash drops, stand after this character and before one of
  // `next`, so that the two are read as one operator.
  bool SplitBeforeAnyOf(const char* next) const;
  // Counts one more construct around what follows; its function counts down at the end.
  absl::Status Enter();
  void Write(const std::string& text);
  // Copies the next `count` characters.
  void Take(std::size_t count);
  absl::Status Refuse(std::size_t begin, const std::string& why) const;
  absl::Status NotClosed(std::size_t begin, const char* close) const;

  // Until `close`, ')' or the end of the text ('\0'). kWord: within a word, as the list of an
  // array, in which a word may begin with a subscript.
  enum class Within { kCommands, kWord };
  absl::Status ScanCommandsUntil(char close, Within within = Within::kCommands);
  absl::Status ScanInCommand();
  absl::Status ScanOpeningParenthesis();
  absl::Status ScanAngle();
  void TakeSeparator();
  void TakeComment();

  // What may stand anywhere: a reference, an escape, $..., `...`, or one plain character.
  absl::Status ScanPart(bool in_double, Quoting quoting);
  absl::Status ScanReference(Quoting quoting);
  absl::Status ScanEscape();
  absl::Status ScanDollar(bool in_double);
  absl::Status ScanSubstitution();
  absl::Status ScanBackticks(bool in_double);
  absl::Status ScanDouble();
  absl::Status ScanSingle();
  absl::Status ScanAnsi();
  void TakeParameterName();
  absl::Status ScanParameter(bool in_double);
  absl::Status ScanParameterWord(bool in_double, bool is_pattern);
  absl::Status ScanArithmetic(char open, char close, bool closes_twice);
  // True if what stands here is computed: inside $((...)), or in the subscript of an array.
  bool IsComputed() const;

  absl::Status ScanHereOperator();
  absl::Status ScanHereDocuments();
  absl::Status ScanHereDocument(const HereDocument& here);
  absl::Status RewriteQuoted(const HereDocument& here,
                             const std::string& body,
                             const std::string& closing_line);

  std::string text_;
  std::size_t position_ = 0;
  std::vector<ShellPiece>* pieces_;
  int depth_;
  int arithmetic_ = 0;
  Within within_ = Within::kCommands;
  ShellWords words_;
  std::vector<HereDocument> pending_;  // operators whose texts begin after the next newline
};

}  // namespace potok
