#include "common/pipeline/when.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace potok {

namespace {

struct NamedRule {
  TriggerRule rule;
  const char* name;
};
constexpr std::array<NamedRule, 11> kRules = {
    {{TriggerRule::kAllSuccess, "all_success"},
     {TriggerRule::kAllFailed, "all_failed"},
     {TriggerRule::kAllDone, "all_done"},
     {TriggerRule::kOneSuccess, "one_success"},
     {TriggerRule::kOneFailed, "one_failed"},
     {TriggerRule::kOneDone, "one_done"},
     {TriggerRule::kNoneFailed, "none_failed"},
     {TriggerRule::kNoneFailedMinOneSuccess, "none_failed_min_one_success"},
     {TriggerRule::kNoneSkipped, "none_skipped"},
     {TriggerRule::kAllSkipped, "all_skipped"},
     {TriggerRule::kAlways, "always"}}};

struct Counts {
  std::size_t pending = 0;
  std::size_t succeeded = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
};

Counts CountOf(const std::vector<StepOutcome>& upstreams) {
  Counts counts;
  for (const StepOutcome outcome : upstreams) {
    switch (outcome) {
      case StepOutcome::kPending:
        ++counts.pending;
        break;
      case StepOutcome::kSucceeded:
        ++counts.succeeded;
        break;
      case StepOutcome::kFailed:
      case StepOutcome::kCanceled:
        ++counts.failed;
        break;
      case StepOutcome::kSkipped:
        ++counts.skipped;
        break;
    }
  }
  return counts;
}

// All must end, and none may be of those that break the rule.
Verdict None(std::size_t breaking, const Counts& counts) {
  if (breaking > 0) return Verdict::kSkip;
  return counts.pending > 0 ? Verdict::kWait : Verdict::kRun;
}

Verdict One(std::size_t wanted, const Counts& counts) {
  if (wanted > 0) return Verdict::kRun;
  return counts.pending > 0 ? Verdict::kWait : Verdict::kSkip;
}

// A value of an expression while it is evaluated. A text from a reference is also the number or
// boolean that it spells.
struct Operand {
  enum class Kind { kUnknown, kNull, kBoolean, kNumber, kText };
  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string text;
  bool is_reference = false;
};
using OperandKind = Operand::Kind;

Operand Truth(bool value) {
  Operand operand;
  operand.kind = OperandKind::kBoolean;
  operand.boolean = value;
  return operand;
}
Operand Unknown() {
  Operand operand;
  operand.kind = OperandKind::kUnknown;
  return operand;
}
Operand OfVerdict(Verdict verdict) {
  return verdict == Verdict::kWait ? Unknown() : Truth(verdict == Verdict::kRun);
}
Operand OfText(const std::optional<std::string>& text) {
  Operand operand;
  if (!text) return operand;
  operand.kind = OperandKind::kText;
  operand.text = *text;
  operand.is_reference = true;
  return operand;
}

std::optional<bool> AsBoolean(const Operand& operand) {
  if (operand.kind == OperandKind::kBoolean) return operand.boolean;
  if (operand.kind != OperandKind::kText || !operand.is_reference) return std::nullopt;
  const std::string word = absl::AsciiStrToLower(operand.text);
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

std::optional<double> AsNumber(const Operand& operand) {
  if (operand.kind == OperandKind::kNumber) return operand.number;
  double number = 0;
  if (operand.kind != OperandKind::kText || !operand.is_reference) return std::nullopt;
  if (!absl::SimpleAtod(operand.text, &number)) return std::nullopt;
  return number;
}

template <class Comparable>
bool Holds(When::Kind kind, const Comparable& a, const Comparable& b) {
  switch (kind) {
    case When::Kind::kEqual:
      return a == b;
    case When::Kind::kUnequal:
      return a != b;
    case When::Kind::kLess:
      return a < b;
    case When::Kind::kLessEqual:
      return a <= b;
    case When::Kind::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

template <class Comparable>
Operand HoldsOf(When::Kind kind,
                const std::optional<Comparable>& a,
                const std::optional<Comparable>& b) {
  if (!a || !b) return Truth(kind == When::Kind::kUnequal);
  return Truth(Holds(kind, *a, *b));
}

Operand Compare(When::Kind kind, const Operand& a, const Operand& b) {
  const auto either = [&](OperandKind wanted) { return a.kind == wanted || b.kind == wanted; };
  if (either(OperandKind::kUnknown)) return Unknown();
  if (either(OperandKind::kNull)) {
    const bool is_same = a.kind == b.kind;
    return Truth(kind == When::Kind::kEqual ? is_same : kind == When::Kind::kUnequal && !is_same);
  }
  if (either(OperandKind::kBoolean)) return HoldsOf(kind, AsBoolean(a), AsBoolean(b));
  if (either(OperandKind::kNumber)) return HoldsOf(kind, AsNumber(a), AsNumber(b));
  const std::optional<double> left = AsNumber(a);
  const std::optional<double> right = AsNumber(b);
  if (left && right) return Truth(Holds(kind, *left, *right));
  return Truth(Holds(kind, a.text, b.text));
}

// What stands where a truth is wanted: anything that is not true is false.
Operand AsCondition(const Operand& operand) {
  if (operand.kind == OperandKind::kUnknown) return operand;
  return Truth(AsBoolean(operand).value_or(false));
}

// Kleene's logic: `decisive` settles it whatever the other is.
Operand Join(const Operand& a, const Operand& b, bool decisive) {
  const Operand left = AsCondition(a);
  const Operand right = AsCondition(b);
  for (const Operand* side : {&left, &right}) {
    if (side->kind == OperandKind::kBoolean && side->boolean == decisive) return *side;
  }
  return left.kind == OperandKind::kUnknown ? left : right;
}

Operand OfState(const std::string& function, StepOutcome outcome) {
  if (outcome == StepOutcome::kPending) return Unknown();
  if (function == "succeeded") return Truth(outcome == StepOutcome::kSucceeded);
  if (function == "failed") return Truth(outcome == StepOutcome::kFailed);
  if (function == "canceled") return Truth(outcome == StepOutcome::kCanceled);
  if (function == "skipped") return Truth(outcome == StepOutcome::kSkipped);
  return Truth(true);  // done
}

Operand OfReference(const WhenReference& reference, const WhenScope& scope) {
  if (reference.kind == WhenReference::Kind::kInput) return OfText(scope.input(reference.port));
  const StepOutcome outcome = scope.outcome(reference.step);
  if (reference.kind == WhenReference::Kind::kStatus) {
    return outcome == StepOutcome::kPending ? Unknown() : OfText(StatusName(outcome));
  }
  const std::optional<std::string> value = scope.output(reference.step, reference.port);
  return !value && outcome == StepOutcome::kPending ? Unknown() : OfText(value);
}

}  // namespace

const char* NameOf(TriggerRule rule) {
  const auto* found = std::ranges::find(kRules, rule, &NamedRule::rule);
  return found == kRules.end() ? "" : found->name;
}

std::optional<TriggerRule> ParseTriggerRule(const std::string& name) {
  for (const NamedRule& named : kRules) {
    if (name == named.name) return named.rule;
  }
  return std::nullopt;
}

Verdict Judge(TriggerRule rule, const std::vector<StepOutcome>& upstreams) {
  if (upstreams.empty()) return Verdict::kRun;
  const Counts counts = CountOf(upstreams);
  switch (rule) {
    case TriggerRule::kAllSuccess:
      return None(counts.failed + counts.skipped, counts);
    case TriggerRule::kAllFailed:
      return None(counts.succeeded + counts.skipped, counts);
    case TriggerRule::kAllDone:
    case TriggerRule::kAlways:
      return None(0, counts);
    case TriggerRule::kOneSuccess:
      return One(counts.succeeded, counts);
    case TriggerRule::kOneFailed:
      return One(counts.failed, counts);
    case TriggerRule::kOneDone:
      return One(counts.succeeded + counts.failed, counts);
    case TriggerRule::kNoneFailed:
      return None(counts.failed, counts);
    case TriggerRule::kNoneFailedMinOneSuccess: {
      const Verdict none = None(counts.failed, counts);
      return none == Verdict::kRun ? One(counts.succeeded, counts) : none;
    }
    case TriggerRule::kNoneSkipped:
      return None(counts.skipped, counts);
    case TriggerRule::kAllSkipped:
      return None(counts.succeeded + counts.failed, counts);
  }
  return Verdict::kSkip;
}

Verdict When::Evaluate(const WhenScope& scope) const {
  std::vector<Operand> values(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    Operand& value = values[i];
    switch (node.kind) {
      case Kind::kNull:
        break;
      case Kind::kBoolean:
        value = Truth(node.boolean);
        break;
      case Kind::kNumber:
        value.kind = OperandKind::kNumber;
        value.number = node.number;
        break;
      case Kind::kText:
        value.kind = OperandKind::kText;
        value.text = node.text;
        break;
      case Kind::kReference:
        value = OfReference(references_[node.left], scope);
        break;
      case Kind::kState:
        value = OfState(node.text, scope.outcome(references_[node.left].step));
        break;
      case Kind::kRule:
        value = OfVerdict(Judge(node.rule, scope.upstreams));
        break;
      case Kind::kNot:
        value = AsCondition(values[node.left]);
        value.boolean = !value.boolean;
        break;
      case Kind::kAnd:
      case Kind::kOr:
        value = Join(values[node.left], values[node.right], node.kind == Kind::kOr);
        break;
      default:
        value = Compare(node.kind, values[node.left], values[node.right]);
        break;
    }
  }
  Operand result = AsCondition(values.back());
  if (!looks_at_states_) {
    const Verdict others = Judge(TriggerRule::kAllSuccess, scope.upstreams);
    result = Join(OfVerdict(others), result, false);
  }
  if (result.kind == OperandKind::kUnknown) return Verdict::kWait;
  return result.boolean ? Verdict::kRun : Verdict::kSkip;
}

std::vector<std::string> When::Steps() const {
  std::vector<std::string> steps;
  for (const WhenReference& reference : references_) {
    const bool is_known = std::ranges::find(steps, reference.step) != steps.end();
    if (!reference.step.empty() && !is_known) steps.push_back(reference.step);
  }
  return steps;
}

std::string When::Rewritten(const std::function<std::string(const WhenReference&)>& replace) const {
  std::string text;
  std::size_t position = 0;
  for (const WhenReference& reference : references_) {
    text += text_.substr(position, reference.begin - position) + replace(reference);
    position = reference.end;
  }
  return text + text_.substr(position);
}

std::string BothWhen(const std::string& when, const std::string& also) {
  const std::string text(absl::StripAsciiWhitespace(when));
  if (text.empty()) return also;
  return ParseTriggerRule(text) ? text + "() and " + also : "(" + text + ") and " + also;
}

const std::vector<std::string>& WhenStatuses() {
  static const std::vector<std::string> statuses = {"Completed", "Failed", "Canceled", "Skipped"};
  return statuses;
}

std::string StatusName(StepOutcome outcome) {
  switch (outcome) {
    case StepOutcome::kPending:
      return "";
    case StepOutcome::kSucceeded:
      return "Completed";
    case StepOutcome::kFailed:
      return "Failed";
    case StepOutcome::kCanceled:
      return "Canceled";
    case StepOutcome::kSkipped:
      return "Skipped";
  }
  return "";
}

}  // namespace potok
