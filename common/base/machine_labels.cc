#include "common/base/machine_labels.h"

#include <algorithm>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::size_t kShownMax = 80;

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsOfLabelName(char c) {
  return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '/';
}

bool IsControlCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// For a message: control characters as '?', and no more than fits on a line.
std::string Shown(const std::string& text) {
  std::string shown = text.substr(0, kShownMax);
  std::ranges::replace_if(shown, IsControlCharacter, '?');
  return text.size() > kShownMax ? shown + "..." : shown;
}

}  // namespace

absl::Status CheckMachineLabelName(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kMachineLabelNameMax &&
                    IsAlphanumeric(name.front()) && std::ranges::all_of(name, IsOfLabelName);
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is no name for a label: use 1 to {} letters, digits, '.', '_', '-' and '/', and begin "
      "with a letter or digit",
      Shown(name),
      kMachineLabelNameMax));
}

absl::Status CheckMachineLabel(const std::string& name, const std::string& value) {
  POTOK_RETURN_IF_ERROR(CheckMachineLabelName(name));
  if (value.size() > kMachineLabelValueMax) {
    return absl::InvalidArgumentError(fmt::format(
        "the value of label '{}' has {} bytes; {} fit", name, value.size(), kMachineLabelValueMax));
  }
  if (std::ranges::none_of(value, IsControlCharacter)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the value '{}' of label '{}' holds control characters; use text on one line",
                  Shown(value),
                  name));
}

absl::Status CheckMachineLabels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kMachineLabelsMax) {
    return absl::InvalidArgumentError(
        fmt::format("a machine carries up to {} labels, not {}", kMachineLabelsMax, labels.size()));
  }
  for (const auto& [name, value] : labels) POTOK_RETURN_IF_ERROR(CheckMachineLabel(name, value));
  return absl::OkStatus();
}

}  // namespace potok
