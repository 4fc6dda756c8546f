// When::Parse.
//
//   or    = and { ("or" | "||") and }
//   and   = not { ("and" | "&&") not }
//   not   = ("not" | "!") not | compare
//   compare = value [ ("==" | "!=" | "<" | "<=" | ">" | ">=") value ]
//   value = "(" or ")" | literal | reference | function "(" [step] ")"
#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/base/status_macros.h"
#include "common/pipeline/names.h"
#include "common/pipeline/when.h"
#include "common/pipeline/when_lexer.h"
#include "fmt/format.h"

namespace potok {

namespace {

// No condition needs ten.
constexpr int kNestedMax = 100;

constexpr std::array<const char*, 5> kStateFunctions = {
    "succeeded", "failed", "canceled", "skipped", "done"};

constexpr const char* kForms =
    "write jobs.STEP.status, jobs.STEP.outputs.NAME, inputs.NAME, a number, a 'text', true, false "
    "or null";

bool IsStateFunction(const std::string& name) {
  return std::ranges::find(kStateFunctions, name) != kStateFunctions.end();
}

std::string WithoutPrefix(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0 ? text.substr(prefix.size()) : text;
}

// A reference that is a value, of the word that spells it.
std::optional<WhenReference> ReferenceOf(const std::string& word) {
  const std::string scoped = WithoutPrefix(word, "parent.");
  WhenReference reference;
  reference.kind = WhenReference::Kind::kInput;
  reference.port = WithoutPrefix(scoped, "inputs.");
  if (reference.port != scoped) {
    return IsPortName(reference.port) ? std::optional(reference) : std::nullopt;
  }
  const std::string job = WithoutPrefix(scoped, "jobs.");
  const std::size_t dot = job.find('.');
  if (job == scoped || dot == std::string::npos) return std::nullopt;
  reference.step = job.substr(0, dot);
  const std::string rest = job.substr(dot + 1);
  reference.port = WithoutPrefix(rest, "outputs.");
  reference.kind = WhenReference::Kind::kOutput;
  if (rest == "status") {
    reference.kind = WhenReference::Kind::kStatus;
    reference.port.clear();
  } else if (reference.port == rest || !IsPortName(reference.port)) {
    return std::nullopt;
  }
  return IsStepName(reference.step) ? std::optional(reference) : std::nullopt;
}

}  // namespace

// Recursive descent; a child stands before its parent in nodes_.
class WhenParser {
 public:
  WhenParser(std::vector<WhenToken> tokens, When* when)
      : tokens_(std::move(tokens)), when_(*when) {}

  absl::Status Run() {
    POTOK_RETURN_IF_ERROR(Or().status());
    if (Peek().kind == WhenToken::Kind::kEnd) return absl::OkStatus();
    return Unexpected("and, or, a comparison, or the end");
  }

 private:
  using Parsed = absl::StatusOr<std::uint32_t>;  // the position of a node

  const WhenToken& Peek() const { return tokens_[position_]; }
  bool Take(const char* word, const char* sign) {
    const WhenToken& token = Peek();
    const bool taken =
        (token.kind == WhenToken::Kind::kWord && absl::AsciiStrToLower(token.text) == word) ||
        (token.kind == WhenToken::Kind::kSign && token.text == sign);
    if (taken) ++position_;
    return taken;
  }
  absl::Status Unexpected(const std::string& wanted) const {
    const std::string at = Peek().kind == WhenToken::Kind::kEnd
                               ? "the end"
                               : "'" + when_.text_.substr(Peek().begin, 40) + "'";
    return absl::InvalidArgumentError(fmt::format(
        "the condition '{}' has {} where {} should be", when_.text_.substr(0, 80), at, wanted));
  }
  std::uint32_t Add(When::Node node) {
    when_.nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(when_.nodes_.size() - 1);
  }
  std::uint32_t Add(When::Kind kind, std::uint32_t left, std::uint32_t right = 0) {
    When::Node node;
    node.kind = kind;
    node.left = left;
    node.right = right;
    return Add(std::move(node));
  }

  Parsed Or() {
    POTOK_ASSIGN_OR_RETURN(std::uint32_t left, And());
    while (Take("or", "||")) {
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t right, And());
      left = Add(When::Kind::kOr, left, right);
    }
    return left;
  }

  Parsed And() {
    POTOK_ASSIGN_OR_RETURN(std::uint32_t left, Not());
    while (Take("and", "&&")) {
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t right, Not());
      left = Add(When::Kind::kAnd, left, right);
    }
    return left;
  }

  Parsed Not() {
    if (!Take("not", "!")) return Compare();
    if (++depth_ > kNestedMax) return TooDeep();
    POTOK_ASSIGN_OR_RETURN(const std::uint32_t operand, Not());
    --depth_;
    return Add(When::Kind::kNot, operand);
  }

  Parsed Compare() {
    POTOK_ASSIGN_OR_RETURN(const std::uint32_t left, Value());
    static constexpr std::array<std::pair<const char*, When::Kind>, 6> kComparisons = {
        {{"==", When::Kind::kEqual},
         {"!=", When::Kind::kUnequal},
         {"<", When::Kind::kLess},
         {"<=", When::Kind::kLessEqual},
         {">", When::Kind::kGreater},
         {">=", When::Kind::kGreaterEqual}}};
    for (const auto& [sign, kind] : kComparisons) {
      if (!Take("", sign)) continue;
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t right, Value());
      return Add(kind, left, right);
    }
    return left;
  }

  absl::Status TooDeep() const {
    return absl::InvalidArgumentError(
        fmt::format("the condition nests more than {} levels; make it simpler", kNestedMax));
  }

  Parsed Value() {
    if (Take("", "(")) {
      if (++depth_ > kNestedMax) return TooDeep();
      POTOK_ASSIGN_OR_RETURN(const std::uint32_t inner, Or());
      --depth_;
      if (!Take("", ")")) return Unexpected("')'");
      return inner;
    }
    const WhenToken token = Peek();
    When::Node node;
    node.text = token.text;
    if (token.kind == WhenToken::Kind::kText) {
      node.kind = When::Kind::kText;
    } else if (token.kind == WhenToken::Kind::kNumber) {
      node.kind = When::Kind::kNumber;
      if (!absl::SimpleAtod(token.text, &node.number)) return Unexpected("a number");
    } else if (token.kind == WhenToken::Kind::kWord) {
      return Word(token);
    } else {
      return Unexpected("a value");
    }
    ++position_;
    return Add(std::move(node));
  }

  Parsed Word(const WhenToken& token) {
    ++position_;
    const std::string word = absl::AsciiStrToLower(token.text);
    When::Node node;
    if (word == "true" || word == "false") {
      node.kind = When::Kind::kBoolean;
      node.boolean = word == "true";
      return Add(std::move(node));
    }
    if (word == "null" || word == "none") return Add(std::move(node));
    if (Take("", "(")) return Function(token);
    std::optional<WhenReference> reference = ReferenceOf(token.text);
    if (!reference) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not understood in a condition; {}", token.text, kForms));
    }
    if (reference->kind == WhenReference::Kind::kStatus) when_.looks_at_states_ = true;
    node.kind = When::Kind::kReference;
    node.left = Refer(*std::move(reference), token.begin, token.end);
    return Add(std::move(node));
  }

  std::uint32_t Refer(WhenReference reference, std::size_t begin, std::size_t end) {
    reference.begin = begin;
    reference.end = end;
    reference.text = when_.text_.substr(begin, end - begin);
    when_.references_.push_back(std::move(reference));
    return static_cast<std::uint32_t>(when_.references_.size() - 1);
  }

  // After the opening bracket.
  Parsed Function(const WhenToken& name) {
    when_.looks_at_states_ = true;
    When::Node node;
    node.text = name.text;
    if (const std::optional<TriggerRule> rule = ParseTriggerRule(name.text)) {
      if (!Take("", ")")) return Unexpected(name.text + "()");
      node.kind = When::Kind::kRule;
      node.rule = *rule;
      return Add(std::move(node));
    }
    if (!IsStateFunction(name.text)) {
      return absl::InvalidArgumentError(
          fmt::format("there is no function '{}' in conditions; there are succeeded(STEP), "
                      "failed(STEP), canceled(STEP), skipped(STEP), done(STEP), always(), and the "
                      "trigger rules as all_success() or none_failed()",
                      name.text));
    }
    const WhenToken step = Peek();
    WhenReference reference;
    reference.step = WithoutPrefix(WithoutPrefix(step.text, "parent."), "jobs.");
    const bool is_name = step.kind == WhenToken::Kind::kWord || step.kind == WhenToken::Kind::kText;
    if (!is_name || !IsStepName(reference.step)) {
      return Unexpected(fmt::format("the name of a step, as in {}(train),", name.text));
    }
    ++position_;
    node.kind = When::Kind::kState;
    if (!Take("", ")")) return Unexpected("')'");
    reference.function = name.text;
    node.left = Refer(std::move(reference), name.begin, tokens_[position_ - 1].end);
    return Add(std::move(node));
  }

  std::vector<WhenToken> tokens_;
  std::size_t position_ = 0;
  int depth_ = 0;
  When& when_;
};

absl::StatusOr<When> When::Parse(const std::string& text) {
  When when;
  when.text_ = text;
  if (text.size() > kWhenBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("the condition has {} bytes, and {} are allowed", text.size(), kWhenBytesMax));
  }
  POTOK_ASSIGN_OR_RETURN(std::vector<WhenToken> tokens, WhenTokens(text));
  const bool is_word = tokens.size() == 2 && tokens[0].kind == WhenToken::Kind::kWord;
  const std::optional<TriggerRule> rule = tokens.size() == 1 ? TriggerRule::kAllSuccess
                                          : is_word          ? ParseTriggerRule(tokens[0].text)
                                                             : std::nullopt;
  if (rule) {
    Node node;
    node.kind = Kind::kRule;
    node.rule = *rule;
    when.nodes_ = {node};
    when.looks_at_states_ = true;
    return when;
  }
  POTOK_RETURN_IF_ERROR(WhenParser(std::move(tokens), &when).Run());
  return when;
}

}  // namespace potok
