// What a step asks of a machine's labels, as a text (Step::label_expression):
//
//   gpu.model in (A100, H100) && driver >= 535 && zone != "b"
//
// The language is described in docs/language.md. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok {

// The longest text that is read, bytes, and how deep it may nest.
inline constexpr std::size_t kLabelExpressionBytesMax = 2'048;
inline constexpr int kLabelExpressionNestedMax = 20;

// A label whose values are the models of all GPUs, joined by kGpuModelJoint: == and `in` ask
// whether one of them is that model (gpu_model.h).
inline constexpr const char* kGpuModelLabel = "gpu.model";
inline constexpr const char* kGpuModelJoint = ", ";

// A parsed expression. A value; copies share what was parsed.
class LabelExpression {
 public:
  using Labels = std::map<std::string, std::string>;

  // True of every machine.
  LabelExpression() = default;
  // A text of blanks is true of every machine. INVALID_ARGUMENT says what is wrong and in which
  // column, from 1.
  static absl::StatusOr<LabelExpression> Parse(const std::string& text);
  // The same, and of what cannot be read one that is true of no machine.
  static LabelExpression ParseOrNever(const std::string& text);

  bool is_empty() const { return text_.empty(); }
  // As it would be written with the fewest blanks and brackets that read well.
  const std::string& text() const { return text_; }

  bool Matches(const Labels& labels) const;
  // Empty if it matches; else the comparisons to blame, as few as there may be, with what the
  // labels are: "driver >= 535 is false (driver is 470)".
  std::vector<std::string> WhyNot(const Labels& labels) const;

  bool operator==(const LabelExpression& other) const { return text_ == other.text_; }
  bool operator<(const LabelExpression& other) const { return text_ < other.text_; }

  // What Parse makes and the others read; the last node is the root.
  enum class Kind : std::uint8_t {
    kHas,
    kEqual,
    kUnequal,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,
    kNotIn,
    kNot,
    kAnd,
    kOr,
  };
  struct Node {
    Kind kind = Kind::kHas;
    std::string label;
    std::vector<std::string> values;
    std::uint32_t left = 0;
    std::uint32_t right = 0;
  };

 private:
  std::string text_;
  // Null: of an empty one, or of one that could not be read.
  std::shared_ptr<const std::vector<Node>> nodes_;
};

// The text of an expression that is true of what carries these labels: "\"zone\" == \"b\"". Empty
// of none.
std::string ExactLabels(const LabelExpression::Labels& labels);

// -1, 0 or 1: by number where both are numbers ("12", "-1.5e3", "64GiB" in bytes), by their parts
// where both look like versions ("535.104.5", "v2"), else as text.
int CompareLabelValues(const std::string& a, const std::string& b);

}  // namespace potok
