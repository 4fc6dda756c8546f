#include "common/pipeline/artifact_reference.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

const char kScheme[] = "potok-artifact:";

absl::Status WrongReference(const std::string& text, const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no artifact: {}; the form is potok-artifact:SHA256/BYTES, for a folder "
                  "with ?folder=1, for a file with ?name=NAME",
                  text,
                  why));
}

std::string EscapedName(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

std::optional<std::string> Unescaped(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    std::uint32_t byte = 0;
    if (at + 2 >= text.size() || !absl::SimpleHexAtoi(text.substr(at + 1, 2), &byte)) {
      return std::nullopt;
    }
    out += static_cast<char>(byte);
    at += 2;
  }
  return out;
}

// One part of the query into `artifact`; false if it is wrong.
bool ReadPart(const std::string& part, Artifact* artifact) {
  const std::size_t equals = part.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = part.substr(0, equals);
  const std::string value = part.substr(equals + 1);
  if (key == "folder") {
    artifact->is_folder = value == "1";
    return value == "1" || value == "0";
  }
  if (key == "bytes") {
    return absl::SimpleAtoi(value, &artifact->total_bytes) && artifact->total_bytes >= 0;
  }
  if (key != "name") return false;
  const std::optional<std::string> name = Unescaped(value);
  if (!name || name->find('/') != std::string::npos || name->find('\0') != std::string::npos ||
      *name == "." || *name == "..") {
    return false;
  }
  artifact->file_name = *name;
  return true;
}

}  // namespace

bool IsArtifactReference(const std::string& text) {
  return text.rfind(kScheme, 0) == 0;
}

std::string ArtifactReference(const Artifact& artifact) {
  std::string query;
  const auto add = [&query](const std::string& part) {
    query += (query.empty() ? "?" : "&") + part;
  };
  if (artifact.is_folder) add("folder=1");
  if (artifact.total_bytes != 0) add(fmt::format("bytes={}", artifact.total_bytes));
  if (!artifact.file_name.empty()) add("name=" + EscapedName(artifact.file_name));
  return fmt::format(
      "{}{}/{}{}", kScheme, artifact.digest.Hex(), artifact.digest.size_bytes, query);
}

absl::StatusOr<Artifact> ParseArtifactReference(const std::string& text) {
  if (!IsArtifactReference(text)) return WrongReference(text, "it does not begin so");
  const std::string rest = text.substr(sizeof(kScheme) - 1);
  const std::size_t question = rest.find('?');
  const std::string address = rest.substr(0, question);
  const std::size_t slash = address.find('/');
  std::int64_t size_bytes = -1;
  if (slash == std::string::npos || !absl::SimpleAtoi(address.substr(slash + 1), &size_bytes)) {
    return WrongReference(text, "it has no size in bytes behind a '/'");
  }
  const absl::StatusOr<Digest> digest = ParseDigest(address.substr(0, slash), size_bytes);
  if (!digest.ok()) return WrongReference(text, std::string(digest.status().message()));
  Artifact artifact;
  artifact.digest = *digest;
  if (question == std::string::npos) return artifact;
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(rest.substr(question + 1), '&'))) {
    if (!ReadPart(part, &artifact)) {
      return WrongReference(text, fmt::format("'{}' is not understood", part));
    }
  }
  return artifact;
}

}  // namespace potok
