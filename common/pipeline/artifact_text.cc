#include "common/pipeline/artifact_text.h"

#include <charconv>

#include "fmt/format.h"

namespace potok {

namespace {

constexpr char kArtifactScheme[] = "potok-artifact:";
constexpr std::size_t kHexLength = 64;

absl::Status NoArtifact(const std::string& text) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' names no artifact; it is written {}SHA256/SIZE, with /NAME behind it for a "
                  "single file",
                  text.substr(0, 200),
                  kArtifactScheme));
}

// One entry of a folder: what a file of this name could be laid out as.
bool IsFileName(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

std::string ArtifactText(const Artifact& artifact) {
  std::string text =
      fmt::format("{}{}/{}", kArtifactScheme, artifact.digest.Hex(), artifact.digest.size_bytes);
  if (artifact.is_folder) return text;
  return text + "/" + (artifact.file_name.empty() ? "file" : artifact.file_name);
}

bool IsArtifactText(const std::string& text) {
  return text.compare(0, sizeof kArtifactScheme - 1, kArtifactScheme) == 0;
}

absl::StatusOr<Artifact> ParseArtifactText(const std::string& text) {
  if (!IsArtifactText(text)) return NoArtifact(text);
  const std::string rest = text.substr(sizeof kArtifactScheme - 1);
  if (rest.size() < kHexLength + 2 || rest[kHexLength] != '/') return NoArtifact(text);
  const std::size_t slash = rest.find('/', kHexLength + 1);
  const std::string size =
      rest.substr(kHexLength + 1, slash == std::string::npos ? slash : slash - kHexLength - 1);
  std::int64_t size_bytes = -1;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), size_bytes);
  if (error != std::errc() || end != size.data() + size.size()) return NoArtifact(text);
  if (fmt::format("{}", size_bytes) != size) return NoArtifact(text);
  const absl::StatusOr<Digest> digest = ParseDigest(rest.substr(0, kHexLength), size_bytes);
  if (!digest.ok()) return NoArtifact(text);
  Artifact artifact;
  artifact.digest = *digest;
  artifact.is_folder = slash == std::string::npos;
  if (!artifact.is_folder) {
    artifact.file_name = rest.substr(slash + 1);
    if (!IsFileName(artifact.file_name)) return NoArtifact(text);
    artifact.total_bytes = size_bytes;
  }
  return artifact;
}

}  // namespace potok
