// Expressions over labels between text and nodes; for label_expression.cc. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/label_expression.h"

namespace potok {

// The nodes of a text that is not blank, each child before its parent; INVALID_ARGUMENT as
// LabelExpression::Parse.
absl::StatusOr<std::vector<LabelExpression::Node>> ParseLabels(const std::string& text);

// The part of the expression whose root is nodes[at], as text that parses to the same.
std::string PrintLabels(const std::vector<LabelExpression::Node>& nodes, std::uint32_t at);

}  // namespace potok
