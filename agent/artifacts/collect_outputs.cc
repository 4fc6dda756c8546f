#include "agent/artifacts/collect_outputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "agent/artifacts/step_folders.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// The longest text that a primitive output may be: it travels as an environment variable.
constexpr std::size_t kTextBytesMax = 64 << 10;

// Bytes of the character that begins with `lead`, or 0.
std::size_t LengthOfCharacter(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead >= 0xF5) return 0;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

// False for what has a shorter form, for surrogates, and beyond U+10FFFF.
bool MayFollow(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

// RFC 3629.
bool IsUtf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = LengthOfCharacter(lead);
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    if (length > 1 && !MayFollow(lead, static_cast<unsigned char>(text[i + 1]))) return false;
    i += length;
  }
  return true;
}

absl::Status Problem(const Output& output, const std::string& what) {
  return absl::InvalidArgumentError(fmt::format("the output \"{}\" {}", output.name, what));
}

bool IsRegularFile(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

absl::StatusOr<std::string> ReadText(const Output& output, const std::string& path) {
  // A pipe would hold us for ever.
  if (!IsRegularFile(path)) {
    return Problem(output,
                   fmt::format("is a {}, but {} is not a regular file", NameOf(output.type), path));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kTextBytesMax + 3, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Problem(output, fmt::format("could not be read from {}", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.size() > kTextBytesMax) {
    return Problem(output,
                   fmt::format("is a {}, which is a text of at most 64 KiB, but {} holds more",
                               NameOf(output.type),
                               path));
  }
  if (!IsUtf8(text) || text.find('\0') != std::string::npos) {
    return Problem(output,
                   fmt::format("is a {}, but {} holds no UTF-8 text", NameOf(output.type), path));
  }
  return text;
}

void Add(std::string name, Snapshot snapshot, std::set<Digest>& seen, CollectedOutputs& to) {
  to.values.push_back({std::move(name), snapshot.artifact});
  to.blobs.file_count += snapshot.file_count;
  for (SnapshotBlob& blob : snapshot.blobs) {
    if (seen.insert(blob.digest).second) to.blobs.blobs.push_back(std::move(blob));
  }
}

// What a link leads to elsewhere is not the step's to give: an agent may be allowed to read more.
absl::Status StaysInside(const std::string& path, const AttemptPaths& paths) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::canonical(paths.folder, error);
  const fs::path real = error ? fs::path() : fs::canonical(path, error);
  if (error) {
    return absl::InvalidArgumentError(fmt::format("cannot find {}: {}", path, error.message()));
  }
  const auto parts = std::mismatch(folder.begin(), folder.end(), real.begin(), real.end());
  if (parts.first == folder.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} leads to {}, outside of the step's folder; write the data itself there",
                  path,
                  real.string()));
}

// The artifact root: of the working directory, only outputs/ and logs/.
absl::StatusOr<Snapshot> SnapshotArtifactRoot(const AttemptPaths& paths) {
  POTOK_RETURN_IF_ERROR(StaysInside(paths.work(), paths));
  SnapshotOptions options;
  options.ignored = [](const std::string& relative) {
    return !relative.starts_with("outputs/") && !relative.starts_with("logs/") &&
           relative != "outputs" && relative != "logs";
  };
  return SnapshotFolder(paths.work(), options);
}

absl::StatusOr<Snapshot> SnapshotOutput(const Output& output, const AttemptPaths& paths) {
  if (IsArtifactRoot(output)) return SnapshotArtifactRoot(paths);
  const std::string path = paths.OutputPath(output);
  struct stat facts {};
  stat(path.c_str(), &facts);
  return S_ISDIR(facts.st_mode) ? SnapshotFolder(path, {}) : SnapshotFile(path);
}

absl::Status CannotBeKept(const Output& output, const absl::Status& why) {
  if (why.ok()) return why;
  return Problem(output, fmt::format("cannot be kept: {}", std::string(why.message())));
}

absl::Status Exists(const Output& output, const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0) return absl::OkStatus();
  return absl::NotFoundError(
      fmt::format("the output \"{0}\" is missing: the command did not write {1} ({2}); write to "
                  "the path that ${{{{outputs.{0}}}}} stands for",
                  output.name,
                  path,
                  std::strerror(errno)));
}

absl::Status CollectOne(const Output& output,
                        const AttemptPaths& paths,
                        std::set<Digest>& seen,
                        CollectedOutputs& to) {
  const std::string path = paths.OutputPath(output);
  POTOK_RETURN_IF_ERROR(Exists(output, path));
  POTOK_RETURN_IF_ERROR(CannotBeKept(output, StaysInside(path, paths)));
  if (IsPrimitive(output.type)) {
    POTOK_ASSIGN_OR_RETURN(std::string text, ReadText(output, path));
    to.values.push_back({output.name, std::move(text)});
    return absl::OkStatus();
  }
  absl::StatusOr<Snapshot> snapshot = SnapshotOutput(output, paths);
  if (!snapshot.ok()) return CannotBeKept(output, snapshot.status());
  Add(output.name, *std::move(snapshot), seen, to);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CollectedOutputs> CollectOutputs(const AttemptOrder& order,
                                                const AttemptPaths& paths) {
  CollectedOutputs collected;
  if (!order.KeepsOutputs()) return collected;
  std::set<Digest> seen;
  const bool has_default = HasDefaultArtifacts(paths);
  bool named_default = false;
  for (const Output& output : order.outputs) {
    named_default = named_default || output.name == "default";
    POTOK_RETURN_IF_ERROR(CollectOne(output, paths, seen, collected));
  }
  if (has_default && !named_default) {
    absl::StatusOr<Snapshot> root = SnapshotArtifactRoot(paths);
    if (!root.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("the files in ./outputs and ./logs cannot be kept: {}",
                      std::string(root.status().message())));
    }
    Add("default", *std::move(root), seen, collected);
  }
  return collected;
}

}  // namespace potok::agent
