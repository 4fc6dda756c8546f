#include "common/pipeline/when_lexer.h"

#include <array>
#include <cctype>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace potok {

namespace {

// The longer first.
constexpr std::array<const char*, 14> kSigns = {
    "${{", "}}", "==", "!=", "<=", ">=", "&&", "||", "(", ")", ",", "<", ">", "!"};

bool BeginsWord(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool BeginsNumber(const std::string& text, std::size_t at) {
  const std::size_t digit = text[at] == '-' || text[at] == '+' ? at + 1 : at;
  return digit < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[digit])) != 0 || text[digit] == '.');
}

class WhenLexer {
 public:
  WhenLexer(const std::string& text, const std::string& in_words)
      : text_(text), in_words_(in_words) {}

  // Where it stopped, or npos.
  std::size_t Run() {
    while (true) {
      at_ = text_.find_first_not_of(" \t\r\n", at_);
      if (at_ == std::string::npos) break;
      if (!Next()) return at_;
    }
    tokens_.push_back({WhenToken::Kind::kEnd, "", text_.size(), text_.size()});
    return std::string::npos;
  }
  std::vector<WhenToken> TakeTokens() { return std::move(tokens_); }

 private:
  bool Next() {
    const char c = text_[at_];
    if (c == '\'' || c == '"') return Quoted(c);
    if (BeginsWord(c)) return Word();
    if (BeginsNumber(text_, at_)) {
      return Push(WhenToken::Kind::kNumber, EndOfNumber());
    }
    for (const std::string sign : kSigns) {
      if (text_.compare(at_, sign.size(), sign) != 0) continue;
      return Push(WhenToken::Kind::kSign, at_ + sign.size());
    }
    return false;
  }

  bool IsInWord(char c) const {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '/' ||
           in_words_.find(c) != std::string::npos;
  }

  std::size_t EndOfNumber() const {
    std::size_t end = at_ + 1;
    while (end < text_.size()) {
      const bool is_sign = text_[end] == '-' || text_[end] == '+';
      const bool after_exponent = text_[end - 1] == 'e' || text_[end - 1] == 'E';
      if (!IsInWord(text_[end]) && !(is_sign && after_exponent)) break;
      ++end;
    }
    return end;
  }

  bool Push(WhenToken::Kind kind, std::size_t end) {
    std::string text = text_.substr(at_, end - at_);
    if (text == "${{") text = "(";
    if (text == "}}") text = ")";
    tokens_.push_back({kind, std::move(text), at_, end});
    at_ = end;
    return true;
  }

  bool Word() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && IsInWord(text_[end])) ++end;
    return Push(WhenToken::Kind::kWord, end);
  }

  // A quote inside is written twice.
  bool Quoted(char quote) {
    std::string value;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != quote) {
        value.push_back(text_[i]);
      } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
        value.push_back(text_[i++]);
      } else {
        tokens_.push_back({WhenToken::Kind::kText, std::move(value), at_, i + 1});
        at_ = i + 1;
        return true;
      }
    }
    return false;
  }

  const std::string& text_;
  const std::string& in_words_;
  std::size_t at_ = 0;
  std::vector<WhenToken> tokens_;
};

}  // namespace

std::vector<WhenToken> TokensOf(const std::string& text,
                                const std::string& in_words,
                                std::size_t* stop) {
  WhenLexer lexer(text, in_words);
  *stop = lexer.Run();
  return lexer.TakeTokens();
}

absl::StatusOr<std::vector<WhenToken>> WhenTokens(const std::string& text) {
  std::size_t stop = 0;
  std::vector<WhenToken> tokens = TokensOf(text, "", &stop);
  if (stop == std::string::npos) return tokens;
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not understood in a condition; it is made of names, numbers, "
                  "'texts', == != < <= > >=, and, or, not, and parentheses",
                  text.substr(stop, 20)));
}

}  // namespace potok
