//   or      = and { ("||" | "or") and }
//   and     = not { ("&&" | "and") not }
//   not     = ("!" | "not") not | "(" or ")" | "has" "(" label ")" | compare
//   compare = label ("==" | "!=" | "<" | "<=" | ">" | ">=") value
//           | label ["not"] "in" "(" value { "," value } ")"
//   label   = word | 'text'      value = word | number | 'text'
#include "common/pipeline/label_parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/status_macros.h"
#include "common/pipeline/when_lexer.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok {

namespace {

using LabelKind = LabelExpression::Kind;
using LabelNode = LabelExpression::Node;

constexpr std::array<std::pair<const char*, LabelKind>, 6> kComparisonSigns = {
    {{"==", LabelKind::kEqual},
     {"!=", LabelKind::kUnequal},
     {"<", LabelKind::kLess},
     {"<=", LabelKind::kLessEqual},
     {">", LabelKind::kGreater},
     {">=", LabelKind::kGreaterEqual}}};
constexpr std::array<const char*, 5> kWordsOfLanguage = {"and", "or", "not", "in", "has"};

bool IsWordOfLanguage(const std::string& word) {
  const std::string small = absl::AsciiStrToLower(word);
  return std::find(kWordsOfLanguage.begin(), kWordsOfLanguage.end(), small) !=
         kWordsOfLanguage.end();
}

absl::Status WrongAt(std::size_t at, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("column {}: {}", at + 1, what));
}

// Recursive descent; a child stands before its parent in nodes_.
class LabelParser {
 public:
  LabelParser(const std::string& text, std::vector<WhenToken> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  absl::StatusOr<std::vector<LabelNode>> Run() {
    POTOK_RETURN_IF_ERROR(Or().status());
    if (Peek().kind != WhenToken::Kind::kEnd) return Unexpected("'&&', '||' or the end");
    return std::move(nodes_);
  }

 private:
  using Parsed = absl::StatusOr<std::uint32_t>;  // the position of a node

  const WhenToken& Peek() const { return tokens_[position_]; }
  bool Is(const char* word, const char* sign) const {
    const WhenToken& token = Peek();
    return (token.kind == WhenToken::Kind::kWord && absl::AsciiStrToLower(token.text) == word) ||
           (token.kind == WhenToken::Kind::kSign && token.text == sign);
  }
  bool Take(const char* word, const char* sign) {
    const bool is = Is(word, sign);
    if (is) ++position_;
    return is;
  }
  absl::Status Unexpected(const std::string& wanted) const {
    const WhenToken& token = Peek();
    const std::string there =
        token.kind == WhenToken::Kind::kEnd
            ? "the end"
            : "'" + text_.substr(token.begin, std::min<std::size_t>(token.end - token.begin, 40)) +
                  "'";
    return WrongAt(token.begin, fmt::format("{} where {} should be", there, wanted));
  }
  std::uint32_t Add(LabelNode node) {
    nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  Parsed Or() {
    POTOK_ASSIGN_OR_RETURN(std::uint32_t left, And());
    while (Take("or", "||")) {
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t right, And());
      left = Add({LabelKind::kOr, "", {}, left, right});
    }
    return left;
  }

  Parsed And() {
    POTOK_ASSIGN_OR_RETURN(std::uint32_t left, Not());
    while (Take("and", "&&")) {
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t right, Not());
      left = Add({LabelKind::kAnd, "", {}, left, right});
    }
    return left;
  }

  Parsed Not() {
    const std::size_t begin = Peek().begin;
    const bool is_not = Take("not", "!");
    if (!is_not && !Take("", "(")) return Compare();
    if (++depth_ > kLabelExpressionNestedMax) {
      return WrongAt(
          begin, fmt::format("more than {} levels; make it simpler", kLabelExpressionNestedMax));
    }
    POTOK_ASSIGN_OR_RETURN(const std::uint32_t inner, is_not ? Not() : Or());
    --depth_;
    if (is_not) return Add({LabelKind::kNot, "", {}, inner, 0});
    if (!Take("", ")")) return Unexpected("')'");
    return inner;
  }

  Parsed Compare() {
    if (Is("has", "") && tokens_[position_ + 1].text == "(") return Has();
    LabelNode node;
    POTOK_ASSIGN_OR_RETURN(node.label, Label());
    for (const auto& [sign, kind] : kComparisonSigns) {
      if (!Take("", sign)) continue;
      node.kind = kind;
      POTOK_ASSIGN_OR_RETURN(node.values.emplace_back(), Value());
      return Add(std::move(node));
    }
    const bool is_not = Take("not", "");
    if (Take("in", "")) {
      node.kind = is_not ? LabelKind::kNotIn : LabelKind::kIn;
      POTOK_RETURN_IF_ERROR(List(&node.values));
      return Add(std::move(node));
    }
    return Unexpected(
        fmt::format("==, !=, <, <=, >, >= or 'in' after '{0}' (or write has({0}))", node.label));
  }

  Parsed Has() {
    position_ += 2;
    LabelNode node;
    POTOK_ASSIGN_OR_RETURN(node.label, Label());
    if (!Take("", ")")) return Unexpected("')'");
    return Add(std::move(node));
  }

  absl::StatusOr<std::string> Label() {
    const WhenToken& token = Peek();
    const bool is_word = token.kind == WhenToken::Kind::kWord && !IsWordOfLanguage(token.text);
    if (!is_word && token.kind != WhenToken::Kind::kText) return Unexpected("the name of a label");
    ++position_;
    return token.text;
  }

  absl::StatusOr<std::string> Value() {
    const WhenToken& token = Peek();
    if (token.kind == WhenToken::Kind::kSign || token.kind == WhenToken::Kind::kEnd) {
      return Unexpected("a value (a word, a number or a 'text')");
    }
    ++position_;
    return token.text;
  }

  absl::Status List(std::vector<std::string>* values) {
    if (!Take("", "(")) return Unexpected("'(' and the values to choose from");
    do {
      POTOK_ASSIGN_OR_RETURN(values->emplace_back(), Value());
    } while (Take("", ","));
    return Take("", ")") ? absl::OkStatus() : Unexpected("',' or ')'");
  }

  const std::string& text_;
  const std::vector<WhenToken> tokens_;
  std::size_t position_ = 0;
  int depth_ = 0;
  std::vector<LabelNode> nodes_;
};

// As it must be written to be read as one word or number.
std::string QuotedLabelWord(const std::string& word) {
  std::size_t stop = 0;
  const std::vector<WhenToken> tokens = TokensOf(word, "-", &stop);
  const bool is_bare =
      tokens.size() == 2 && tokens[0].begin == 0 && tokens[0].end == word.size() &&
      (tokens[0].kind == WhenToken::Kind::kWord || tokens[0].kind == WhenToken::Kind::kNumber);
  if (is_bare && !IsWordOfLanguage(word)) return word;
  std::string quoted = "\"";
  for (const char c : word) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string QuotedLabel(const std::string& label) {
  const std::string word = QuotedLabelWord(label);
  const bool is_number =
      !word.empty() && (absl::ascii_isdigit(static_cast<unsigned char>(word[0])) ||
                        word[0] == '-' || word[0] == '+' || word[0] == '.');
  return is_number ? '"' + word + '"' : word;
}

int StrengthOf(LabelKind kind) {
  if (kind == LabelKind::kOr) return 0;
  return kind == LabelKind::kAnd ? 1 : 2;
}

}  // namespace

absl::StatusOr<std::vector<LabelNode>> ParseLabels(const std::string& text) {
  if (text.size() > kLabelExpressionBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("it has {} bytes, and {} are allowed", text.size(), kLabelExpressionBytesMax));
  }
  std::size_t stop = 0;
  std::vector<WhenToken> tokens = TokensOf(text, "-", &stop);
  if (stop != std::string::npos) {
    return WrongAt(stop,
                   fmt::format("'{}' is not understood; write for example gpu.model in (A100, "
                               "H100) && driver >= 535 && zone != \"b\"",
                               text.substr(stop, 20)));
  }
  return LabelParser(text, std::move(tokens)).Run();
}

std::string PrintLabels(const std::vector<LabelNode>& nodes, std::uint32_t at) {
  const LabelNode& node = nodes[at];
  // The right one of two equals was in brackets, or it would be the left one.
  const auto part = [&](std::uint32_t child, int least) {
    const std::string text = PrintLabels(nodes, child);
    return StrengthOf(nodes[child].kind) < least ? "(" + text + ")" : text;
  };
  const int strength = StrengthOf(node.kind);
  switch (node.kind) {
    case LabelKind::kNot: {
      const LabelKind inner = nodes[node.left].kind;
      const std::string text = PrintLabels(nodes, node.left);
      return inner == LabelKind::kNot || inner == LabelKind::kHas ? "!" + text : "!(" + text + ")";
    }
    case LabelKind::kAnd:
      return part(node.left, strength) + " && " + part(node.right, strength + 1);
    case LabelKind::kOr:
      return part(node.left, strength) + " || " + part(node.right, strength + 1);
    case LabelKind::kHas:
      return "has(" + QuotedLabel(node.label) + ")";
    default:
      break;
  }
  std::vector<std::string> values;
  for (const std::string& value : node.values) values.push_back(QuotedLabelWord(value));
  if (node.kind == LabelKind::kIn || node.kind == LabelKind::kNotIn) {
    return fmt::format("{} {} ({})",
                       QuotedLabel(node.label),
                       node.kind == LabelKind::kIn ? "in" : "not in",
                       fmt::join(values, ", "));
  }
  const auto* const sign =
      std::find_if(kComparisonSigns.begin(), kComparisonSigns.end(), [&](const auto& known) {
        return known.second == node.kind;
      });
  return fmt::format("{} {} {}", QuotedLabel(node.label), sign->first, values.front());
}

}  // namespace potok
