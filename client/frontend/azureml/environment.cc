#include "client/frontend/azureml/environment.h"

#include "absl/strings/match.h"
#include "client/frontend/azureml/file_text.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// A conda file or Dockerfile is a page of text; more is a mistake.
constexpr std::size_t kTextBytesMax = 1 << 20;

std::string Quoted(const std::string& text) {
  std::string json = "\"";
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      json += {'\\', character};
    } else if (character == '\n') {
      json += "\\n";
    } else if (code < 0x20) {
      json += fmt::format("\\u{:04x}", code);
    } else {
      json.push_back(character);
    }
  }
  return json + "\"";
}

// A tree as JSON with its scalars as texts; maps keep their order, which for conda is meant.
std::string Json(const YamlNode& node) {
  std::string json;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return Quoted(node.text);
    case YamlNode::Kind::kList:
      for (const YamlNode* item : node.items) json += (json.empty() ? "" : ",") + Json(*item);
      return "[" + json + "]";
    case YamlNode::Kind::kMap:
      for (const YamlEntry& entry : node.entries) {
        json += (json.empty() ? "" : ",") + Quoted(entry.key) + ":" + Json(*entry.value);
      }
      return "{" + json + "}";
  }
  return json;
}

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

// The JSON members of an environment's map, in a fixed order.
std::string ReadMap(Fields* fields, const Origin& origin, Reading* reading) {
  std::vector<std::string> members;
  const YamlNode* image = fields->Scalar("image");
  const YamlNode* conda = fields->Value("conda_file");
  const YamlNode* build = fields->Map("build");
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
  if (image != nullptr) members.push_back("\"image\":" + Quoted(image->text));
  if (conda != nullptr && conda->IsScalar()) {
    const std::string text = ReadTextFile(conda->text, conda->at, origin, "conda_file", reading);
    members.push_back("\"conda_file\":" + Quoted(text));
  } else if (conda != nullptr) {
    members.push_back("\"conda_file\":" + Json(*conda));
  }
  if (conda != nullptr && image == nullptr) {
    reading->reporter.Error(
        conda->at, fmt::format("{}: conda_file needs an image; add image:", fields->what()));
  }
  if (build != nullptr && image != nullptr) {
    reading->reporter.Error(
        build->at, fmt::format("{} has both an image and a build; keep one", fields->what()));
  } else if (build != nullptr) {
    Fields inner(build, fields->what() + ": build", &reading->reporter);
    const std::string path = inner.RawText("path");
    std::string dockerfile = inner.RawText("dockerfile_path");
    if (dockerfile.empty()) dockerfile = "Dockerfile";
    inner.ReportUnknown(Severity::kError);
    const std::string text = ReadTextFile(
        WithoutFilePrefix(path) + "/" + dockerfile, build->at, origin, "the Dockerfile", reading);
    members.push_back("\"dockerfile\":" + Quoted(text));
  }
  if (members.empty() && fields->map() != nullptr) {
    reading->reporter.Error(
        fields->map()->at,
        fmt::format("{} is empty; write an image, or a build with its path", fields->what()));
  }
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

std::string ReadMapOrFile(const YamlNode& map,
                          const Origin& origin,
                          const std::string& what,
                          Reading* reading) {
  Fields fields(&map, "the environment of " + what, &reading->reporter);
  for (const char* key : {"channels", "dependencies"}) {
    if (map.Find(key) == nullptr) continue;
    reading->reporter.Error(
        map.Find(key)->at,
        fmt::format("{} is a conda file; name it as conda_file: of an environment with an image",
                    fields.what()));
    return "";
  }
  std::string text = ReadMap(&fields, origin, reading);
  fields.ReportUnknown(Severity::kWarning);
  return text;
}

}  // namespace

std::string ReadEnvironment(const YamlNode& value,
                            const Origin& origin,
                            const std::string& what,
                            Reading* reading) {
  if (value.IsMap()) return ReadMapOrFile(value, origin, what, reading);
  if (!value.IsScalar()) {
    reading->reporter.Error(
        value.at, fmt::format("{}: environment must be a text or a map, but is a list", what));
    return "";
  }
  if (IsAssetReference(value.text)) return value.text;
  if (!absl::StartsWith(value.text, "file:")) {
    reading->reporter.Error(
        value.at,
        fmt::format("{}: environment '{}' is no reference; write azureml:NAME:VERSION, "
                    "azureml:NAME@latest, file:./environment.yml, or a map with an image",
                    what,
                    value.text));
    return "";
  }
  const std::string path = WithoutFilePrefix(value.text);
  const std::string shown = ShownFrom(origin, path);
  const YamlNode* file = ParseYamlFile(
      AbsoluteFrom(origin, path), shown, value.at, &reading->arena, &reading->reporter);
  if (file == nullptr) return "";
  return ReadMapOrFile(*file, OriginOf(shown), what, reading);
}

}  // namespace potok::client
