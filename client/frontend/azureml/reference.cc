#include "client/frontend/azureml/reference.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr const char* kAssetPrefix = "azureml:";
// Storage that Azure ML reads directly.
constexpr const char* kStorageSchemes[] = {
    "http://", "https://", "wasb://", "wasbs://", "abfs://", "abfss://", "adl://"};

bool IsStorage(const std::string& text) {
  for (const char* scheme : kStorageSchemes) {
    if (absl::StartsWithIgnoreCase(text, scheme)) return true;
  }
  return false;
}

}  // namespace

std::string WithoutFilePrefix(const std::string& text) {
  if (absl::StartsWith(text, "file://")) return text.substr(7);
  return absl::StartsWith(text, "file:") ? text.substr(5) : text;
}

bool IsAssetReference(const std::string& text) {
  return absl::StartsWith(text, kAssetPrefix);
}

std::string ResourceName(const std::string& text) {
  if (!IsAssetReference(text)) return text;
  const std::size_t slash = text.rfind('/');
  return text.substr(slash == std::string::npos ? std::string(kAssetPrefix).size() : slash + 1);
}

absl::StatusOr<DataReference> ParseDataReference(const std::string& text) {
  if (IsStorage(text)) return DataReference{false, text};
  if (IsAssetReference(text)) {
    const std::string rest = text.substr(std::string(kAssetPrefix).size());
    if (IsStorage(rest)) return DataReference{false, rest};
    if (absl::StartsWith(rest, "/") || rest.find_first_of(":@") != std::string::npos) {
      return DataReference{false, text};
    }
    return absl::InvalidArgumentError(
        fmt::format("'{0}' names data without a version; write {0}:1 or {0}@latest", text));
  }
  if (absl::StartsWith(text, "runs:/")) return DataReference{false, text};
  const std::string path = WithoutFilePrefix(text);
  if (const std::size_t scheme = path.find("://"); scheme != std::string::npos) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' cannot be read: {}:// is not known; write a local path, an "
                    "azureml://datastores/NAME/paths/PATH, http(s)://, wasb(s)://, abfss:// or "
                    "adl:// address",
                    text,
                    path.substr(0, scheme)));
  }
  if (path.empty()) return absl::InvalidArgumentError("the path is empty; name a file or a folder");
  return DataReference{true, path};
}

Binding ReadData(const std::string& text,
                 const Place& at,
                 const Origin& origin,
                 bool infer_type,
                 ValueType* type,
                 Reporter* reporter) {
  const absl::StatusOr<DataReference> reference = ParseDataReference(text);
  if (!reference.ok()) {
    reporter->Error(at, std::string(reference.status().message()));
    return std::monostate();
  }
  if (!reference->is_local) return UriValue{reference->text};
  const std::string path = AbsoluteFrom(origin, reference->text);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    reporter->Error(at,
                    fmt::format("'{}' does not exist (looked for {}); relative paths start at the "
                                "folder of this file",
                                text,
                                path));
    return std::monostate();
  }
  const bool is_folder = std::filesystem::is_directory(status);
  if (!is_folder && infer_type) *type = ValueType::kUriFile;
  if (is_folder && *type == ValueType::kUriFile) {
    reporter->Warning(at, fmt::format("'{}' is a folder; declare it as type: uri_folder", text));
  } else if (!is_folder && *type == ValueType::kUriFolder) {
    reporter->Warning(at, fmt::format("'{}' is a file; declare it as type: uri_file", text));
  }
  return LocalPath{path};
}

Code ReadCode(const std::string& text, const Place& at, const Origin& origin, Reporter* reporter) {
  if (IsAssetReference(text) || text.find("://") != std::string::npos) {
    reporter->Error(at,
                    fmt::format("code '{}' is not on this machine, and Potok does not fetch code "
                                "yet; copy it into a folder and name that folder",
                                text));
    return std::monostate();
  }
  const std::string written = WithoutFilePrefix(text);
  const std::string path = AbsoluteFrom(origin, written);
  std::error_code error;
  if (!written.empty() && std::filesystem::exists(path, error)) return LocalCode{path, {}};
  reporter->Error(at,
                  fmt::format("code '{}' does not exist (looked for {}); relative paths start at "
                              "the folder of this file",
                              text,
                              path));
  return std::monostate();
}

}  // namespace potok::client
