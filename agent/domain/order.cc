#include "agent/domain/order.h"

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status CheckName(const char* what, const std::string& name) {
  const bool good = !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
                    name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} \"{}\" cannot name a file", what, name));
}

absl::Status CheckInput(const AttemptInput& input) {
  POTOK_RETURN_IF_ERROR(CheckName("the input", input.name));
  const Artifact* artifact = std::get_if<Artifact>(&input.value);
  if (artifact == nullptr || artifact->file_name.empty()) return absl::OkStatus();
  return CheckName("the input's file", artifact->file_name);
}

}  // namespace

bool NeedsStaging(const AttemptOrder& order) {
  if (order.code) return true;
  for (const AttemptInput& input : order.inputs) {
    if (std::holds_alternative<Artifact>(input.value)) return true;
  }
  return false;
}

absl::Status CheckNames(const AttemptOrder& order) {
  for (const AttemptInput& input : order.inputs) POTOK_RETURN_IF_ERROR(CheckInput(input));
  for (const Output& output : order.outputs) {
    POTOK_RETURN_IF_ERROR(CheckName("the output", output.name));
  }
  if (order.code && !order.code->file_name.empty()) {
    POTOK_RETURN_IF_ERROR(CheckName("the code file", order.code->file_name));
  }
  return absl::OkStatus();
}

}  // namespace potok::agent
