// Values of ports on their way out of nested pipelines, for flatten.cc. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/pipeline/spec.h"
#include "common/pipeline/template.h"

namespace potok {

// What stands for one expression: a value by itself, or text among text. Nothing: it stays.
using Replacement = std::optional<Binding>;

// The binding with each ${{...}} replaced. What is no text, or cannot be parsed, stays as it is.
Binding Replaced(const Binding& binding,
                 const std::function<Replacement(const Expression&)>& replace);

// A literal of a port, as the port's type reads it.
Binding AsTyped(const Input& input);

// `text` as a literal of a condition (when.h).
std::string WhenLiteral(const std::string& text, ValueType type);

}  // namespace potok
