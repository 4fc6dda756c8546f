#include "client/frontend/azureml/inliner.h"

#include <filesystem>
#include <set>

#include "client/frontend/azureml/component_source.h"
#include "client/frontend/azureml/environment.h"
#include "client/frontend/azureml/reference.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Keys that say nothing of what a node does.
const std::set<std::string>& DroppedKeys() {
  static const std::set<std::string> keys = {
      "$schema", "id", "creation_context", "additional_includes", "latest_version"};
  return keys;
}

YamlNode* CopyOf(const YamlNode& node, YamlArena* arena) {
  YamlNode* copy = arena->New(node.kind, node.at);
  copy->is_plain = node.is_plain;
  copy->text = node.text;
  return copy;
}

bool IsLocalText(const YamlNode& value) {
  return value.IsScalar() && value.text.find("${{") == std::string::npos;
}

}  // namespace

const YamlNode* Inliner::Text(const std::string& text, const Place& at) {
  YamlNode* node = reading_->arena.New(YamlNode::Kind::kScalar, at);
  node->text = text;
  return node;
}

const YamlNode* Inliner::Stored(const absl::StatusOr<Artifact>& artifact, const Place& at) {
  if (artifact.ok()) return Text(ArtifactReference(*artifact), at);
  if (status_.ok()) status_ = artifact.status();
  return Text("", at);
}

const YamlNode* Inliner::Pinned(AssetKind kind, const YamlNode& text) {
  const absl::StatusOr<AssetDocument>& found = FindAsset(kind, text.text, reading_);
  if (!found.ok()) return &text;
  return Text(fmt::format("azureml:{}:{}", found->name, found->version), text.at);
}

const YamlNode* Inliner::Code(const YamlNode& node, const Origin& origin) {
  const YamlEntry* written = node.Find("code");
  const YamlEntry* includes = node.Find("additional_includes");
  LocalCode local;
  if (written != nullptr && written->value->IsScalar()) {
    const potok::Code code =
        ReadCode(written->value->text, written->value->at, origin, &reading_->reporter);
    if (!std::holds_alternative<LocalCode>(code)) return written->value;
    local = std::get<LocalCode>(code);
  }
  if (includes != nullptr && includes->value->IsList()) {
    for (const YamlNode* item : includes->value->items) {
      if (const auto path = ReadInclude(item->text, item->at, origin, &reading_->reporter)) {
        local.additional_includes.push_back(*path);
      }
    }
  }
  if (local == LocalCode{}) return nullptr;
  return Stored(files_.store_code(local), node.at);
}

const YamlNode* Inliner::Data(const YamlNode& path, const Origin& origin) {
  const absl::StatusOr<DataReference> reference = ParseDataReference(path.text);
  if (!reference.ok()) {
    reading_->reporter.Error(path.at, std::string(reference.status().message()));
    return &path;
  }
  if (!reference->is_local) {
    if (!IsRegistered(reference->text)) return Text(reference->text, path.at);
    const YamlNode* data = Pinned(AssetKind::kData, path);
    return data == &path ? Pinned(AssetKind::kModel, path) : data;
  }
  const std::string local = AbsoluteFrom(origin, reference->text);
  std::error_code error;
  if (std::filesystem::exists(local, error)) return Stored(files_.store_data(local), path.at);
  reading_->reporter.Error(path.at,
                           fmt::format("'{}' does not exist (looked for {}); relative paths start "
                                       "at the folder of this file",
                                       path.text,
                                       local));
  return &path;
}

const YamlNode* Inliner::Inputs(const YamlNode& inputs, const Origin& origin) {
  YamlNode* copy = CopyOf(inputs, &reading_->arena);
  for (const YamlEntry& entry : inputs.entries) {
    const YamlEntry* path = entry.value->IsMap() ? entry.value->Find("path") : nullptr;
    if (path == nullptr || !IsLocalText(*path->value)) {
      copy->entries.push_back(entry);
      continue;
    }
    YamlNode* input = CopyOf(*entry.value, &reading_->arena);
    for (const YamlEntry& member : entry.value->entries) {
      const YamlNode* value = member.key == "path" ? Data(*member.value, origin) : member.value;
      input->entries.push_back({member.key, member.at, value});
    }
    copy->entries.push_back({entry.key, entry.at, input});
  }
  return copy;
}

const YamlNode* Inliner::Build(const YamlNode& build, const Origin& origin) {
  YamlNode* copy = CopyOf(build, &reading_->arena);
  for (const YamlEntry& entry : build.entries) {
    const bool is_local =
        entry.key == "path" && entry.value->IsScalar() && !IsArtifactReference(entry.value->text);
    const YamlNode* value = entry.value;
    if (is_local) {
      const std::string folder = AbsoluteFrom(origin, WithoutFilePrefix(value->text));
      value = Stored(files_.store_code({folder, {}}), value->at);
    }
    copy->entries.push_back({entry.key, entry.at, value});
  }
  return copy;
}

const YamlNode* Inliner::Environment(const YamlNode& value, const Origin& origin) {
  if (value.IsScalar() && IsAssetReference(value.text)) {
    return Pinned(AssetKind::kEnvironment, value);
  }
  if (value.IsScalar()) {
    const std::string path = WithoutFilePrefix(value.text);
    const std::string shown = ShownFrom(origin, path);
    const YamlNode* file = ParseYamlFile(
        AbsoluteFrom(origin, path), shown, value.at, &reading_->arena, &reading_->reporter);
    return file == nullptr ? &value : Environment(*file, OriginOf(shown));
  }
  if (!value.IsMap()) return &value;
  static const std::set<std::string> dropped = {"$schema",
                                                "id",
                                                "creation_context",
                                                "name",
                                                "version",
                                                "description",
                                                "tags",
                                                "properties",
                                                "datastore"};
  YamlNode* copy = CopyOf(value, &reading_->arena);
  for (const YamlEntry& entry : value.entries) {
    if (dropped.contains(entry.key) || entry.value->IsNull()) continue;
    const YamlNode* member = entry.value;
    if (entry.key == "conda_file") {
      const YamlNode* packages = ReadConda(*member, origin, reading_);
      if (packages != nullptr) member = packages;
    } else if (entry.key == "build" && member->IsMap()) {
      member = Build(*member, origin);
    }
    copy->entries.push_back({entry.key, entry.at, member});
  }
  return copy;
}

const YamlNode* Inliner::Component(const YamlNode& value, const Origin& origin) {
  if (value.IsScalar() && IsAssetReference(value.text)) {
    return Pinned(AssetKind::kComponent, value);
  }
  const std::optional<ComponentSource> source =
      FindComponent(value, origin, "the component", reading_);
  if (!source || source->map == nullptr) return &value;
  return Node(*source->map, source->origin);
}

const YamlNode* Inliner::Jobs(const YamlNode& jobs, const Origin& origin) {
  YamlNode* copy = CopyOf(jobs, &reading_->arena);
  for (const YamlEntry& entry : jobs.entries) {
    copy->entries.push_back({entry.key, entry.at, Node(*entry.value, origin)});
  }
  return copy;
}

const YamlNode* Inliner::Node(const YamlNode& node, const Origin& origin) {
  if (!node.IsMap()) return &node;
  YamlNode* copy = CopyOf(node, &reading_->arena);
  if (const YamlNode* code = Code(node, origin)) copy->entries.push_back({"code", node.at, code});
  for (const YamlEntry& entry : node.entries) {
    const YamlNode* value = entry.value;
    if (DroppedKeys().contains(entry.key) || entry.key == "code") continue;
    if (entry.key == "environment") {
      value = Environment(*value, origin);
    } else if (entry.key == "component" || entry.key == "trial") {
      value = Component(*value, origin);
    } else if (entry.key == "task" && value->IsMap()) {
      value = Node(*value, origin);
    } else if (entry.key == "jobs" && value->IsMap()) {
      value = Jobs(*value, origin);
    } else if (entry.key == "inputs" && value->IsMap()) {
      value = Inputs(*value, origin);
    }
    copy->entries.push_back({entry.key, entry.at, value});
  }
  return copy;
}

}  // namespace potok::client
