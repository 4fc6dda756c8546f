// Numbers as Python's float() reads them. Pure.
#pragma once

#include <optional>
#include <string>

namespace potok {

// "1", "-0.5", "1e-3", "+2.", "inf", "nan", blanks around allowed. Nothing for any other text.
std::optional<double> ParseNumber(const std::string& text);

}  // namespace potok
