#include "client/frontend/azureml/reference.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/match.h"
#include "common/pipeline/artifact_reference.h"
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

// The type of a local file or folder is what it is; what was declared should agree.
void AgreeOnType(const std::string& text,
                 const Place& at,
                 bool is_folder,
                 bool infer_type,
                 ValueType* type,
                 Reporter* reporter) {
  if (!is_folder && infer_type) *type = ValueType::kUriFile;
  if (is_folder && *type == ValueType::kUriFile) {
    reporter->Warning(at, fmt::format("'{}' is a folder; declare it as type: uri_folder", text));
  } else if (!is_folder && *type == ValueType::kUriFolder) {
    reporter->Warning(at, fmt::format("'{}' is a file; declare it as type: uri_file", text));
  }
}

Binding LocalData(const std::string& written,
                  const Place& at,
                  const Origin& origin,
                  bool infer_type,
                  ValueType* type,
                  Reporter* reporter) {
  const std::string path = AbsoluteFrom(origin, written);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    reporter->Error(at, MissingData(written, path));
    return std::monostate();
  }
  const bool is_folder = std::filesystem::is_directory(status);
  AgreeOnType(written, at, is_folder, infer_type, type, reporter);
  return LocalPath{path};
}

std::optional<Artifact> ReadArtifact(const std::string& text, const Place& at, Reporter* reporter) {
  const absl::StatusOr<Artifact> artifact = ParseArtifactReference(text);
  if (artifact.ok()) return *artifact;
  reporter->Error(at, std::string(artifact.status().message()));
  return std::nullopt;
}

Binding RemoteData(const std::string& text, const Place& at, Reporter* reporter) {
  if (!IsArtifactReference(text)) return UriValue{text};
  const std::optional<Artifact> artifact = ReadArtifact(text, at, reporter);
  if (!artifact) return std::monostate();
  return *artifact;
}

// Inputs of a model's type are looked up among the models first, others among the data.
std::vector<AssetKind> KindsFor(const AssetReference& reference, ValueType type) {
  if (reference.kind.has_value()) return {*reference.kind};
  const bool is_model = type == ValueType::kMlflowModel || type == ValueType::kCustomModel ||
                        type == ValueType::kTritonModel;
  if (is_model) return {AssetKind::kModel, AssetKind::kData};
  return {AssetKind::kData, AssetKind::kModel};
}

Binding ReadRegisteredData(const std::string& text,
                           const Place& at,
                           bool infer_type,
                           const std::string& where,
                           ValueType* type,
                           Reading* reading) {
  Reporter* reporter = &reading->reporter;
  const absl::StatusOr<AssetReference> reference = ParseAssetReference(text);
  if (!reference.ok()) {
    reporter->Error(at, std::string(reference.status().message()));
    return std::monostate();
  }
  absl::Status missing;
  for (const AssetKind kind : KindsFor(*reference, *type)) {
    const absl::StatusOr<AssetDocument>& asset = FindAsset(kind, text, reading);
    if (absl::IsFailedPrecondition(asset.status())) return UriValue{text};
    if (!asset.ok()) {
      // What is said of the kind that was meant is said; the other is only a second try.
      if (missing.ok()) missing = asset.status();
      if (absl::IsNotFound(asset.status())) continue;
      break;
    }
    const std::string version = fmt::format("azureml:{}:{}", asset->name, asset->version);
    const YamlNode* document = ParseYamlText(asset->text, version, &reading->arena, reporter);
    const YamlEntry* path = document == nullptr ? nullptr : document->Find("path");
    const YamlEntry* declared = document == nullptr ? nullptr : document->Find("type");
    if (path == nullptr || !path->value->IsScalar()) {
      reporter->Error(at, fmt::format("{} has no path; create another version of it", version));
      return std::monostate();
    }
    if (infer_type && declared != nullptr) {
      *type = ParseValueType(declared->value->text).value_or(*type);
    }
    reading->spec.properties["asset." + where] = version;
    const Binding value = RemoteData(path->value->text, at, reporter);
    if (const auto* artifact = std::get_if<Artifact>(&value)) {
      AgreeOnType(text, at, artifact->is_folder, false, type, reporter);
    }
    return value;
  }
  reporter->Error(at, std::string(missing.message()));
  return std::monostate();
}

// What is said after code that is not on this machine, and what to do instead; "" if it may be.
std::string WhyCodeIsAway(const std::string& text) {
  const bool is_git = absl::StartsWithIgnoreCase(text, "git+") || absl::StartsWith(text, "git@");
  if (is_git) {
    const std::string repository = absl::StartsWith(text, "git@") ? text : text.substr(4);
    return fmt::format(
        "is in a git repository, and Potok fetches no code; run `git clone {}` beside this file "
        "and write the folder that makes: ./FOLDER",
        repository.substr(0, repository.find('#')));
  }
  if (absl::StartsWithIgnoreCase(text, "http://") || absl::StartsWithIgnoreCase(text, "https://")) {
    return "is on the web, and Potok fetches no code; download it into a folder beside this file "
           "and write that folder: ./FOLDER";
  }
  if (!IsAssetReference(text) && text.find("://") == std::string::npos) return "";
  return "is not on this machine, and Potok fetches no code; copy it into a folder beside this "
         "file and write that folder: ./FOLDER. Code that a team shares is in a component: `potok "
         "component create`";
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
      if (!IsRegistered(text)) return DataReference{false, text};
      const absl::StatusOr<AssetReference> registered = ParseAssetReference(text);
      if (!registered.ok()) return registered.status();
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

std::string WhyNotRegistered(const std::string& text, ValueType type, Reading* reading) {
  if (!IsRegistered(text) || reading->assets == nullptr) return "";
  const absl::StatusOr<AssetReference> reference = ParseAssetReference(text);
  if (!reference.ok()) return "";
  std::string why;
  for (const AssetKind kind : KindsFor(*reference, type)) {
    const absl::Status found = FindAsset(kind, text, reading).status();
    if (!absl::IsNotFound(found)) return "";
    if (why.empty()) why = std::string(found.message());
  }
  return why;
}

std::string MissingData(const std::string& text, const std::string& path) {
  return fmt::format(
      "'{}' does not exist (looked for {}); relative paths start at the folder of this file",
      text,
      path);
}

Binding ReadData(const std::string& text,
                 const Place& at,
                 const Origin& origin,
                 bool infer_type,
                 const std::string& where,
                 ValueType* type,
                 Reading* reading) {
  Reporter* reporter = &reading->reporter;
  if (IsArtifactReference(text)) {
    const std::optional<Artifact> artifact = ReadArtifact(text, at, reporter);
    if (!artifact) return std::monostate();
    if (!artifact->is_folder && infer_type) *type = ValueType::kUriFile;
    return *artifact;
  }
  const absl::StatusOr<DataReference> reference = ParseDataReference(text);
  if (!reference.ok()) {
    reporter->Error(at, std::string(reference.status().message()));
    return std::monostate();
  }
  if (IsRegistered(reference->text) && reading->assets != nullptr) {
    return ReadRegisteredData(reference->text, at, infer_type, where, type, reading);
  }
  if (!reference->is_local) return RemoteData(reference->text, at, reporter);
  return LocalData(reference->text, at, origin, infer_type, type, reporter);
}

Code ReadCode(const std::string& text, const Place& at, const Origin& origin, Reporter* reporter) {
  if (IsArtifactReference(text)) {
    const std::optional<Artifact> artifact = ReadArtifact(text, at, reporter);
    if (!artifact) return std::monostate();
    if (artifact->is_folder) return *artifact;
    reporter->Error(
        at, fmt::format("code '{}' is a file; code is a folder, written with ?folder=1", text));
    return std::monostate();
  }
  if (const std::string why = WhyCodeIsAway(text); !why.empty()) {
    reporter->Error(at, fmt::format("code '{}' {}", text, why));
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

std::optional<std::string> ReadInclude(const std::string& text,
                                       const Place& at,
                                       const Origin& origin,
                                       Reporter* reporter) {
  if (const std::string why = WhyCodeIsAway(text); !why.empty()) {
    reporter->Error(at, fmt::format("the additional include '{}' {}", text, why));
    return std::nullopt;
  }
  const std::string written = WithoutFilePrefix(text);
  const std::string path = AbsoluteFrom(origin, written);
  std::error_code error;
  if (!written.empty() && std::filesystem::exists(path, error)) return path;
  const bool is_zip = absl::EndsWith(path, ".zip");
  const std::string folder = is_zip ? path.substr(0, path.size() - 4) : "";
  if (is_zip && std::filesystem::is_directory(folder, error)) return path;
  reporter->Error(at,
                  fmt::format("the additional include '{}' does not exist (looked for {}{}); "
                              "relative paths start at the folder of this file",
                              text,
                              path,
                              is_zip ? " and for the folder " + folder + " to pack" : ""));
  return std::nullopt;
}

}  // namespace potok::client
