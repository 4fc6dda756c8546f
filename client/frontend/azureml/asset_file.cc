#include "client/frontend/azureml/asset_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "client/frontend/azureml/environment.h"
#include "client/frontend/azureml/inliner.h"
#include "client/frontend/azureml/load.h"
#include "client/frontend/azureml/override.h"
#include "client/frontend/azureml/port_fields.h"
#include "client/frontend/azureml/reading.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "client/frontend/azureml/yaml_json.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

bool IsModelType(ValueType type) {
  return type == ValueType::kMlflowModel || type == ValueType::kCustomModel ||
         type == ValueType::kTritonModel;
}

// One file on its way to the registry.
class AssetReader {
 public:
  AssetReader(
      AssetKind kind, const YamlNode& root, Origin origin, const FileStore& files, Reading* reading)
      : kind_(kind),
        root_(root),
        origin_(std::move(origin)),
        reading_(reading),
        fields_(&root, fmt::format("the {}", NameOf(kind)), &reading->reporter),
        inliner_(files, reading) {}

  // Empty after errors.
  std::optional<AssetFile> Read(absl::Status* stored) {
    ReadHead();
    const YamlNode* content = reading_->reporter.errors() == 0 ? Content() : nullptr;
    *stored = inliner_.status();
    if (content == nullptr || reading_->reporter.errors() != 0 || !stored->ok()) {
      return std::nullopt;
    }
    asset_.document = JsonOfValues(*content);
    return asset_;
  }

 private:
  void ReadHead() {
    asset_.kind = kind_;
    asset_.name = fields_.RawText("name");
    asset_.version = VersionText(fields_.Scalar("version"));
    asset_.description = fields_.RawText("description");
    asset_.display_name = fields_.RawText("display_name");
    asset_.tags = fields_.Texts("tags", Fields::Strictness::kAnyScalar);
    asset_.properties = fields_.Texts("properties", Fields::Strictness::kAnyScalar);
    if (const std::string stage = fields_.RawText("stage"); !stage.empty()) {
      asset_.properties["stage"] = stage;
    }
    CheckName();
  }

  void CheckName() {
    absl::Status checked = CheckAssetName(kind_, asset_.name);
    if (checked.ok() && !asset_.version.empty()) checked = CheckAssetVersion(asset_.version);
    if (!checked.ok()) {
      reading_->reporter.Error(fields_.At(asset_.name.empty() ? "$" : "name"),
                               std::string(checked.message()));
    }
  }

  const YamlNode* Content() {
    switch (kind_) {
      case AssetKind::kComponent:
        return Component();
      case AssetKind::kEnvironment:
        ReadEnvironmentMap(root_, origin_, fields_.what(), reading_);
        return reading_->reporter.errors() == 0 ? inliner_.Environment(root_, origin_) : nullptr;
      case AssetKind::kData:
      case AssetKind::kModel:
        return Data();
      case AssetKind::kDatastore:
        return Datastore();
    }
    return nullptr;
  }

  const YamlNode* Component() {
    YamlNode* content = reading_->arena.New(YamlNode::Kind::kMap, root_.at);
    content->entries = inliner_.Node(root_, origin_)->entries;
    RemoveHead(content);
    if (content->Find("type") == nullptr) AddText("type", "command", content);
    return content;
  }

  const YamlNode* Data() {
    const YamlNode* path = fields_.Scalar("path");
    if (path == nullptr) {
      reading_->reporter.Error(
          root_.at, fmt::format("{} has no path; write where its files are", fields_.what()));
      return nullptr;
    }
    const std::optional<ValueType> written = ReadType(&fields_, &reading_->reporter);
    fields_.Ignore({"$schema",
                    "id",
                    "creation_context",
                    "datastore",
                    "job_name",
                    "type",
                    "auto_delete_setting",
                    "latest_version",
                    "flavors"});
    fields_.ReportUnknown(Severity::kError);
    if (reading_->reporter.errors() != 0) return nullptr;
    const ValueType type = written.value_or(TypeOf(*path));
    CheckDataType(type, *path);
    if (reading_->reporter.errors() != 0) return nullptr;
    YamlNode* content = reading_->arena.New(YamlNode::Kind::kMap, root_.at);
    content->entries.push_back({"path", path->at, inliner_.Data(*path, origin_)});
    AddText("type", NameOf(type), content);
    if (const YamlEntry* flavors = root_.Find("flavors")) content->entries.push_back(*flavors);
    return content;
  }

  std::string LocalPathOf(const YamlNode& path) const {
    const absl::StatusOr<DataReference> reference = ParseDataReference(path.text);
    return reference.ok() && reference->is_local ? AbsoluteFrom(origin_, reference->text) : "";
  }

  ValueType TypeOf(const YamlNode& path) const {
    if (kind_ == AssetKind::kModel) return ValueType::kCustomModel;
    std::error_code error;
    const std::string local = LocalPathOf(path);
    const bool is_file = !local.empty() && std::filesystem::is_regular_file(local, error);
    return is_file ? ValueType::kUriFile : ValueType::kUriFolder;
  }

  void CheckDataType(ValueType type, const YamlNode& path) {
    Reporter& reporter = reading_->reporter;
    if (IsPrimitive(type) || IsModelType(type) != (kind_ == AssetKind::kModel)) {
      reporter.Error(fields_.At("type"),
                     kind_ == AssetKind::kModel
                         ? "a model is of type custom_model, mlflow_model or triton_model"
                         : "data is of type uri_file, uri_folder or mltable");
      return;
    }
    const std::string local = LocalPathOf(path);
    std::error_code error;
    if (local.empty() || !std::filesystem::exists(local, error)) return;
    const bool is_folder = std::filesystem::is_directory(local, error);
    if (type == ValueType::kUriFile && is_folder) {
      reporter.Error(path.at, fmt::format("'{}' is a folder, not a uri_file", path.text));
    } else if ((type == ValueType::kUriFolder || type == ValueType::kMltable) && !is_folder) {
      reporter.Error(path.at, fmt::format("'{}' is a file, not a {}", path.text, NameOf(type)));
    } else if (type == ValueType::kMltable && !std::filesystem::exists(local + "/MLTable", error)) {
      reporter.Error(path.at,
                     fmt::format("'{}' holds no file MLTable, which says what the table is made of",
                                 path.text));
    }
  }

  // Azure's datastores say where its storage is; here a datastore is a folder of its name.
  const YamlNode* Datastore() {
    YamlNode* content = reading_->arena.New(YamlNode::Kind::kMap, root_.at);
    for (const YamlEntry& entry : root_.entries) {
      if (entry.key != "credentials") {
        content->entries.push_back(entry);
        continue;
      }
      reading_->reporter.Warning(entry.at,
                                 "credentials are not kept: this datastore is a folder of the "
                                 "server and needs none");
    }
    RemoveHead(content);
    if (content->Find("type") == nullptr) AddText("type", "folder", content);
    return content;
  }

  static void RemoveHead(YamlNode* content) {
    for (const char* key : {"$schema",
                            "name",
                            "version",
                            "description",
                            "display_name",
                            "tags",
                            "properties",
                            "id",
                            "creation_context"}) {
      std::erase_if(content->entries, [key](const YamlEntry& entry) { return entry.key == key; });
    }
  }

  void AddText(const std::string& key, const std::string& text, YamlNode* content) {
    YamlNode* node = reading_->arena.New(YamlNode::Kind::kScalar, root_.at);
    node->text = text;
    content->entries.push_back({key, root_.at, node});
  }

  const AssetKind kind_;
  const YamlNode& root_;
  const Origin origin_;
  Reading* reading_;
  Fields fields_;
  Inliner inliner_;
  AssetFile asset_;
};

// What is wrong with a component as one that is used.
std::vector<Diagnostic> CheckAsComponent(const std::string& file, const AssetOptions& options) {
  LoadOptions load;
  load.set = options.set;
  load.assets = options.assets;
  load.folder_content = options.folder_content;
  load.is_component = true;
  return LoadJob(file, load).diagnostics;
}

bool HasError(const std::vector<Diagnostic>& diagnostics) {
  return std::ranges::any_of(diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::kError;
  });
}

}  // namespace

LoadedAsset LoadAsset(AssetKind kind, const std::string& file, const AssetOptions& options) {
  LoadedAsset loaded;
  if (kind == AssetKind::kComponent && !options.skip_validation && !file.empty()) {
    loaded.diagnostics = CheckAsComponent(file, options);
    if (HasError(loaded.diagnostics)) return loaded;
  }
  Reading reading;
  reading.assets = options.assets;
  reading.folder_content = options.folder_content;
  const Place top{reading.arena.File(file.empty() ? "the command line" : file), 0, 0};
  const YamlNode* root = file.empty()
                             ? reading.arena.New(YamlNode::Kind::kMap, top)
                             : ParseYamlFile(file, file, top, &reading.arena, &reading.reporter);
  if (root != nullptr) root = Override(root, options.set, &reading.arena, &reading.reporter);
  if (root != nullptr && !root->IsMap()) {
    reading.reporter.Error(root->at, fmt::format("this is no {}: it must be a map", NameOf(kind)));
  } else if (root != nullptr && reading.reporter.errors() == 0) {
    AssetReader reader(kind, *root, OriginOf(file), options.files, &reading);
    loaded.asset = reader.Read(&loaded.stored);
  }
  // What the check has said already is not said twice.
  for (Diagnostic& diagnostic : reading.reporter.Take(file)) {
    const bool is_said = std::ranges::any_of(loaded.diagnostics, [&](const Diagnostic& said) {
      return ToString(said) == ToString(diagnostic);
    });
    if (!is_said) loaded.diagnostics.push_back(std::move(diagnostic));
  }
  return loaded;
}

}  // namespace potok::client
