#include "agent/domain/attempt_paths.h"

namespace potok::agent {

std::string AttemptPaths::Input(const AttemptInput& input) const {
  const Artifact* artifact = std::get_if<Artifact>(&input.value);
  const std::string place = inputs() + "/" + input.name;
  if (artifact == nullptr || artifact->is_folder) return place;
  return place + "/" + (artifact->file_name.empty() ? input.name : artifact->file_name);
}

std::string AttemptPaths::OutputPath(const Output& output) const {
  if (IsArtifactRoot(output)) return work();
  const std::string place = outputs() + "/" + output.name;
  return output.type == ValueType::kUriFile ? place + "/" + output.name : place;
}

bool IsArtifactRoot(const Output& output) {
  return output.name == "artifacts" && output.path.empty() && !IsPrimitive(output.type) &&
         output.type != ValueType::kUriFile;
}

}  // namespace potok::agent
