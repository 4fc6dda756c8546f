#include "common/pipeline/label_expression.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/pipeline/gpu_model.h"
#include "common/pipeline/label_parser.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok {

namespace {

using LabelKind = LabelExpression::Kind;
using LabelNode = LabelExpression::Node;
using LabelNodes = std::vector<LabelNode>;
using LabelMap = LabelExpression::Labels;

bool IsValueOf(const std::string& label, const std::string& value, const std::string& wanted) {
  if (label != kGpuModelLabel) return CompareLabelValues(value, wanted) == 0;
  const std::vector<std::string> models = absl::StrSplit(value, kGpuModelJoint);
  return std::any_of(models.begin(), models.end(), [&](const std::string& model) {
    return IsGpuModel(model, wanted);
  });
}

// Of a comparison whose label is there.
bool ComparisonHolds(const LabelNode& node, const std::string& value) {
  const auto is_one = [&] {
    return std::any_of(node.values.begin(), node.values.end(), [&](const std::string& wanted) {
      return IsValueOf(node.label, value, wanted);
    });
  };
  switch (node.kind) {
    case LabelKind::kHas:
      return true;
    case LabelKind::kEqual:
    case LabelKind::kIn:
      return is_one();
    case LabelKind::kUnequal:
    case LabelKind::kNotIn:
      return !is_one();
    case LabelKind::kLess:
      return CompareLabelValues(value, node.values.front()) < 0;
    case LabelKind::kLessEqual:
      return CompareLabelValues(value, node.values.front()) <= 0;
    case LabelKind::kGreater:
      return CompareLabelValues(value, node.values.front()) > 0;
    case LabelKind::kGreaterEqual:
      return CompareLabelValues(value, node.values.front()) >= 0;
    case LabelKind::kNot:
    case LabelKind::kAnd:
    case LabelKind::kOr:
      break;
  }
  return false;
}

bool IsTrue(const LabelNodes& nodes, std::uint32_t at, const LabelMap& labels) {
  const LabelNode& node = nodes[at];
  if (node.kind == LabelKind::kNot) return !IsTrue(nodes, node.left, labels);
  if (node.kind == LabelKind::kAnd) {
    return IsTrue(nodes, node.left, labels) && IsTrue(nodes, node.right, labels);
  }
  if (node.kind == LabelKind::kOr) {
    return IsTrue(nodes, node.left, labels) || IsTrue(nodes, node.right, labels);
  }
  const auto it = labels.find(node.label);
  return it != labels.end() && ComparisonHolds(node, it->second);
}

std::string ActualOf(const LabelNode& node, const LabelMap& labels) {
  const auto it = labels.find(node.label);
  return it == labels.end() ? fmt::format("there is no {}", node.label)
                            : fmt::format("{} is {}", node.label, it->second);
}

// Of a part that is false.
std::vector<std::string> Blame(const LabelNodes& nodes, std::uint32_t at, const LabelMap& labels) {
  const LabelNode& node = nodes[at];
  if (node.kind == LabelKind::kAnd) {
    std::vector<std::string> blame;
    for (const std::uint32_t part : {node.left, node.right}) {
      if (IsTrue(nodes, part, labels)) continue;
      std::vector<std::string> more = Blame(nodes, part, labels);
      std::move(more.begin(), more.end(), std::back_inserter(blame));
    }
    return blame;
  }
  if (node.kind == LabelKind::kOr) {
    std::vector<std::string> left = Blame(nodes, node.left, labels);
    std::vector<std::string> right = Blame(nodes, node.right, labels);
    return right.size() < left.size() ? right : left;
  }
  if (node.kind == LabelKind::kNot) return {PrintLabels(nodes, at) + " is false"};
  return {fmt::format("{} is false ({})", PrintLabels(nodes, at), ActualOf(node, labels))};
}

}  // namespace

absl::StatusOr<LabelExpression> LabelExpression::Parse(const std::string& text) {
  LabelExpression expression;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return expression;
  absl::StatusOr<LabelNodes> nodes = ParseLabels(text);
  if (!nodes.ok()) return nodes.status();
  expression.text_ = PrintLabels(*nodes, static_cast<std::uint32_t>(nodes->size() - 1));
  expression.nodes_ = std::make_shared<const LabelNodes>(*std::move(nodes));
  return expression;
}

LabelExpression LabelExpression::ParseOrNever(const std::string& text) {
  if (absl::StatusOr<LabelExpression> parsed = Parse(text); parsed.ok()) return *std::move(parsed);
  LabelExpression never;
  never.text_ = text;
  return never;
}

bool LabelExpression::Matches(const Labels& labels) const {
  if (nodes_ == nullptr) return text_.empty();
  return IsTrue(*nodes_, static_cast<std::uint32_t>(nodes_->size() - 1), labels);
}

std::vector<std::string> LabelExpression::WhyNot(const Labels& labels) const {
  if (Matches(labels)) return {};
  if (nodes_ == nullptr) return {fmt::format("'{}' cannot be read", text_)};
  return Blame(*nodes_, static_cast<std::uint32_t>(nodes_->size() - 1), labels);
}

std::string ExactLabels(const LabelExpression::Labels& labels) {
  const auto quoted = [](const std::string& text) {
    return "\"" + absl::StrReplaceAll(text, {{"\"", "\"\""}}) + "\"";
  };
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{} == {}", text.empty() ? "" : " && ", quoted(name), quoted(value));
  }
  return text;
}

}  // namespace potok
