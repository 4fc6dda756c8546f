#include "client/cli/text/query_tokens.h"

#include <cctype>

#include "client/cli/text/printable.h"
#include "client/cli/text/query_tree.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

bool IsLetter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool IsDigit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

class Reading {
 public:
  explicit Reading(const std::string& query) : query_(query) {}

  absl::StatusOr<std::vector<Token>> All() {
    std::vector<Token> tokens;
    while (true) {
      while (at_ < query_.size() && std::string(" \t\r\n").find(Peek()) != std::string::npos) ++at_;
      POTOK_ASSIGN_OR_RETURN(Token token, Next());
      tokens.push_back(std::move(token));
      if (tokens.back().kind == Token::Kind::kEnd) return tokens;
    }
  }

 private:
  absl::StatusOr<Token> Next() {
    Token token;
    token.at = at_;
    const char c = Peek();
    if (at_ >= query_.size()) return token;
    if (IsLetter(c)) return Name(std::move(token));
    if (IsDigit(c) || (c == '-' && IsDigit(Peek(1)))) return Number(std::move(token));
    if (c == '\'') return RawText(std::move(token));
    if (c == '`') return JsonLiteral(std::move(token));
    if (c == '"') return QuotedName(std::move(token));
    return Sign(std::move(token));
  }

  absl::StatusOr<Token> Name(Token token) {
    token.kind = Token::Kind::kName;
    while (IsLetter(Peek()) || IsDigit(Peek())) token.text += query_[at_++];
    return token;
  }

  absl::StatusOr<Token> Number(Token token) {
    constexpr std::size_t kDigitsMax = 18;
    token.kind = Token::Kind::kNumber;
    do {
      token.text += query_[at_++];
    } while (IsDigit(Peek()));
    if (token.text.size() > kDigitsMax) return QueryError(query_, token.at, "too large a number");
    token.number = std::stoll(token.text);
    return token;
  }

  // What is between here and the next `quote` without a backslash before it.
  absl::StatusOr<std::string> Quoted(char quote, std::size_t started) {
    std::string text;
    for (++at_; at_ < query_.size(); ++at_) {
      if (Peek() == quote) {
        ++at_;
        return text;
      }
      if (Peek() == '\\' && at_ + 1 < query_.size()) text += query_[at_++];
      text += Peek();
    }
    return QueryError(query_, started, fmt::format("no closing {} for this one", quote));
  }

  // 'text', in which only \' stands for something else.
  absl::StatusOr<Token> RawText(Token token) {
    token.kind = Token::Kind::kLiteral;
    POTOK_ASSIGN_OR_RETURN(const std::string text, Quoted('\'', token.at));
    token.literal = Value(Unescaped(text, '\''));
    return token;
  }

  // `5`, `"text"`, `[1]`; a bare word is a text, as Azure's command line still takes it.
  absl::StatusOr<Token> JsonLiteral(Token token) {
    token.kind = Token::Kind::kLiteral;
    POTOK_ASSIGN_OR_RETURN(std::string text, Quoted('`', token.at));
    text = Unescaped(text, '`');
    absl::StatusOr<Value> value = ParseJson(text);
    if (!value.ok()) {
      const std::size_t begin = text.find_first_not_of(" \t\r\n");
      value = ParseJson("\"" + (begin == std::string::npos ? "" : text.substr(begin)) + "\"");
    }
    if (!value.ok()) return QueryError(query_, token.at, "this is no JSON");
    token.literal = *std::move(value);
    return token;
  }

  absl::StatusOr<Token> QuotedName(Token token) {
    token.kind = Token::Kind::kQuotedName;
    POTOK_ASSIGN_OR_RETURN(const std::string text, Quoted('"', token.at));
    const absl::StatusOr<Value> value = ParseJson("\"" + text + "\"");
    if (!value.ok()) return QueryError(query_, token.at, "this is no JSON text");
    token.text = *value->AsText();
    return token;
  }

  absl::StatusOr<Token> Sign(Token token) {
    static const std::vector<std::pair<std::string, Token::Kind>> kLong = {
        {"[]", Token::Kind::kFlatten},
        {"[?", Token::Kind::kFilter},
        {"||", Token::Kind::kOr},
        {"&&", Token::Kind::kAnd},
        {"==", Token::Kind::kCompare},
        {"!=", Token::Kind::kCompare},
        {"<=", Token::Kind::kCompare},
        {">=", Token::Kind::kCompare},
        {"<", Token::Kind::kCompare},
        {">", Token::Kind::kCompare}};
    for (const auto& [sign, kind] : kLong) {
      if (query_.compare(at_, sign.size(), sign) != 0) continue;
      at_ += sign.size();
      token.kind = kind;
      token.text = sign;
      return token;
    }
    if (Peek() == '=') return QueryError(query_, at_, "one '=' means nothing: write '=='");
    if (std::string(".*][,:@(){}|&!").find(Peek()) == std::string::npos) {
      return QueryError(query_, at_, "this character means nothing here");
    }
    token.kind = Token::Kind::kMark;
    token.text = query_[at_++];
    return token;
  }

  static std::string Unescaped(const std::string& text, char quote) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        if (text[i + 1] != quote) out += text[i];
        ++i;
      }
      out += text[i];
    }
    return out;
  }

  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
  }

  const std::string& query_;
  std::size_t at_ = 0;
};

}  // namespace

Binding BindingOf(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kFlatten:
      return kFlattening;
    case Token::Kind::kFilter:
      return kFiltering;
    case Token::Kind::kCompare:
      return kComparison;
    case Token::Kind::kOr:
      return kOrElse;
    case Token::Kind::kAnd:
      return kAndAlso;
    case Token::Kind::kMark:
      break;
    default:
      return kNothing;
  }
  switch (token.text[0]) {
    case '|':
      return kPipe;
    case '*':
      return kStar;
    case '.':
      return kDot;
    case '!':
      return kNegation;
    case '{':
      return kBrace;
    case '[':
      return kBracket;
    case '(':
      return kCalling;
    default:
      return kNothing;
  }
}

absl::StatusOr<std::vector<Token>> TokensOf(const std::string& query) {
  return Reading(query).All();
}

Expression Node(Expression::Kind kind, std::size_t at, std::vector<Expression> children) {
  Expression node;
  node.kind = kind;
  node.at = at;
  node.children = std::move(children);
  return node;
}

absl::Status QueryError(const std::string& query, std::size_t at, const std::string& what) {
  std::string shown = query;
  for (char& c : shown) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  const std::size_t column = Columns(shown.substr(0, at));
  return absl::InvalidArgumentError(fmt::format(
      "--query: character {}: {}\n  {}\n  {}^", column + 1, what, shown, std::string(column, ' ')));
}

}  // namespace potok::client
