#include "client/frontend/azureml/environment.h"

#include "absl/strings/match.h"
#include "client/frontend/azureml/file_text.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "client/frontend/azureml/yaml_json.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// A conda file or Dockerfile is a page of text; more is a mistake.
constexpr std::size_t kTextBytesMax = 1 << 20;

std::string ReadTextFile(const std::string& text,
                         const Place& at,
                         const Origin& origin,
                         const std::string& role,
                         Reading* reading) {
  const absl::StatusOr<std::string> content =
      ReadFileText(AbsoluteFrom(origin, WithoutFilePrefix(text)), kTextBytesMax);
  if (content.ok() && !FindBadByte(*content)) return *content;
  reading->reporter.Error(
      at,
      fmt::format("{} '{}' cannot be read: {}",
                  role,
                  text,
                  content.ok() ? "it is no UTF-8 text" : std::string(content.status().message())));
  return "";
}

// A build context by what is in it, as "potok-artifact:..."; where that is not asked for, by its
// Dockerfile alone.
std::string ReadBuild(const YamlNode& build,
                      const Origin& origin,
                      const std::string& what,
                      Reading* reading) {
  Fields fields(&build, what + ": build", &reading->reporter);
  const std::string path = fields.RawText("path");
  std::string dockerfile = fields.RawText("dockerfile_path");
  if (dockerfile.empty()) dockerfile = "Dockerfile";
  fields.ReportUnknown(Severity::kError);
  std::string content = path;
  if (!IsArtifactReference(path)) {
    const std::string text = ReadTextFile(
        WithoutFilePrefix(path) + "/" + dockerfile, build.at, origin, "the Dockerfile", reading);
    if (reading->folder_content == nullptr) return "\"dockerfile\":" + QuotedJson(text);
    const absl::StatusOr<Artifact> folder =
        reading->folder_content(AbsoluteFrom(origin, WithoutFilePrefix(path)));
    if (!folder.ok()) {
      reading->reporter.Error(build.at,
                              fmt::format("the build context '{}' cannot be read: {}",
                                          path,
                                          std::string(folder.status().message())));
      return "";
    }
    content = ArtifactReference(*folder);
  }
  return fmt::format(
      R"("build":{{"dockerfile_path":{},"path":{}}})", QuotedJson(dockerfile), QuotedJson(content));
}

// A build of which only the Dockerfile is known (ReadBuild), as `potok job clone` writes it.
const YamlNode* ReadDockerfile(Fields* fields,
                               const YamlNode* image,
                               const YamlNode* build,
                               Reading* reading) {
  const YamlNode* dockerfile = fields->Scalar("dockerfile");
  if (dockerfile == nullptr || (image == nullptr && build == nullptr)) return dockerfile;
  reading->reporter.Error(
      dockerfile->at,
      fmt::format("{}: a dockerfile stands alone, without image and build", fields->what()));
  return nullptr;
}

// The JSON members of an environment's map, in order of their names.
std::string ReadMembers(Fields* fields, const Origin& origin, Reading* reading) {
  std::vector<std::string> members;
  const YamlNode* image = fields->Scalar("image");
  const YamlNode* conda = fields->Value("conda_file");
  const YamlNode* build = fields->Map("build");
  const YamlNode* dockerfile = ReadDockerfile(fields, image, build, reading);
  fields->Ignore({"$schema",
                  "name",
                  "version",
                  "description",
                  "tags",
                  "properties",
                  "os_type",
                  "inference_config",
                  "datastore",
                  "id",
                  "creation_context"});
  if (build != nullptr && image != nullptr) {
    reading->reporter.Error(
        build->at, fmt::format("{} has both an image and a build; keep one", fields->what()));
  } else if (build != nullptr) {
    members.push_back(ReadBuild(*build, origin, fields->what(), reading));
  }
  if (conda != nullptr) {
    const YamlNode* packages = ReadConda(*conda, origin, reading);
    members.push_back("\"conda_file\":" + (packages == nullptr ? "null" : JsonOfTexts(*packages)));
    if (image == nullptr && dockerfile == nullptr) {
      reading->reporter.Error(
          conda->at, fmt::format("{}: conda_file needs an image; add image:", fields->what()));
    }
  }
  if (dockerfile != nullptr) members.push_back("\"dockerfile\":" + QuotedJson(dockerfile->text));
  if (image != nullptr) members.push_back("\"image\":" + QuotedJson(image->text));
  if (members.empty() && fields->map() != nullptr) {
    reading->reporter.Error(
        fields->map()->at,
        fmt::format("{} is empty; write an image, or a build with its path", fields->what()));
  }
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

// Curated environments, and those of other registries, are Azure's images. Commands run with what
// the machine has, so such a name is only recorded.
EnvironmentText ReadEnvironmentByName(const YamlNode& value,
                                      const std::string& what,
                                      Reading* reading) {
  if (reading->assets == nullptr) return {value.text, ""};
  const absl::StatusOr<AssetReference> reference = ParseAssetReference(value.text);
  if (!reference.ok()) {
    reading->reporter.Error(value.at,
                            fmt::format("{}: {}", what, std::string(reference.status().message())));
    return {};
  }
  const absl::StatusOr<AssetDocument>& found =
      FindAsset(AssetKind::kEnvironment, value.text, reading);
  if (absl::IsNotFound(found.status())) {
    const bool is_azures =
        !reference->registry.empty() || absl::StartsWith(reference->name, "AzureML-");
    if (!is_azures) {
      reading->reporter.Warning(value.at,
                                fmt::format("{}: {}; the step runs with what its "
                                            "machine has",
                                            what,
                                            std::string(found.status().message())));
    }
    return {value.text, ""};
  }
  if (absl::IsFailedPrecondition(found.status())) return {value.text, ""};
  if (!found.ok()) {
    reading->reporter.Error(value.at,
                            fmt::format("{}: {}", what, std::string(found.status().message())));
    return {};
  }
  const std::string shown = fmt::format("azureml:{}:{}", found->name, found->version);
  auto [file, is_new] = reading->files.try_emplace("environment " + shown, nullptr);
  if (is_new) {
    file->second = ParseYamlText(found->text, shown, &reading->arena, &reading->reporter);
  }
  if (file->second == nullptr) return {};
  return {fmt::format("{}:{}", found->name, found->version),
          ReadEnvironmentMap(*file->second, Origin{}, "environment " + shown, reading)};
}

}  // namespace

const YamlNode* ReadConda(const YamlNode& value, const Origin& origin, Reading* reading) {
  if (!value.IsScalar()) return &value;
  const std::string text = ReadTextFile(value.text, value.at, origin, "conda_file", reading);
  if (text.empty()) return nullptr;
  const std::string shown = ShownFrom(origin, WithoutFilePrefix(value.text));
  return ParseYamlText(text, shown, &reading->arena, &reading->reporter);
}

std::string ReadEnvironmentMap(const YamlNode& map,
                               const Origin& origin,
                               const std::string& what,
                               Reading* reading) {
  Fields fields(&map, what, &reading->reporter);
  for (const char* key : {"channels", "dependencies"}) {
    if (map.Find(key) == nullptr) continue;
    reading->reporter.Error(
        map.Find(key)->at,
        fmt::format("{} is a conda file; name it as conda_file: of an environment with an image",
                    fields.what()));
    return "";
  }
  std::string text = ReadMembers(&fields, origin, reading);
  fields.ReportUnknown(Severity::kWarning);
  return text;
}

EnvironmentText ReadEnvironment(const YamlNode& value,
                                const Origin& origin,
                                const std::string& what,
                                Reading* reading) {
  const std::string its = "the environment of " + what;
  if (value.IsMap()) return {"", ReadEnvironmentMap(value, origin, its, reading)};
  if (!value.IsScalar()) {
    reading->reporter.Error(
        value.at, fmt::format("{}: environment must be a text or a map, but is a list", what));
    return {};
  }
  if (IsAssetReference(value.text)) return ReadEnvironmentByName(value, what, reading);
  if (!absl::StartsWith(value.text, "file:")) {
    reading->reporter.Error(
        value.at,
        fmt::format("{}: environment '{}' is no reference; write azureml:NAME:VERSION, "
                    "azureml:NAME@latest, file:./environment.yml, or a map with an image",
                    what,
                    value.text));
    return {};
  }
  const std::string path = WithoutFilePrefix(value.text);
  const std::string shown = ShownFrom(origin, path);
  const YamlNode* file = ParseYamlFile(
      AbsoluteFrom(origin, path), shown, value.at, &reading->arena, &reading->reporter);
  if (file == nullptr) return {};
  return {"", ReadEnvironmentMap(*file, OriginOf(shown), its, reading)};
}

}  // namespace potok::client
