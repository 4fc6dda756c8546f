// The labels of machines: what their names and values may be, and how many a machine may carry.
// Pure. The agent, the server and the command line all ask here.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

namespace potok {

inline constexpr std::size_t kMachineLabelsMax = 64;
inline constexpr std::size_t kMachineLabelNameMax = 63;    // bytes
inline constexpr std::size_t kMachineLabelValueMax = 255;  // bytes

// INVALID_ARGUMENT, with the name (cut where it is long) and the rule, unless it is 1 to 63
// letters, digits, '.', '_', '-' and '/', and begins with a letter or digit.
absl::Status CheckMachineLabelName(const std::string& name);

// The name, and a value of up to 255 bytes of text without control characters.
absl::Status CheckMachineLabel(const std::string& name, const std::string& value);

// Each of them, and that they are no more than 64.
absl::Status CheckMachineLabels(const std::map<std::string, std::string>& labels);

}  // namespace potok
