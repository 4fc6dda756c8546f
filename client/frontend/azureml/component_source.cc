#include "client/frontend/azureml/component_source.h"

#include "client/frontend/azureml/reference.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

std::optional<ComponentSource> FindRegistered(const YamlNode& value,
                                              const std::string& what,
                                              Reading* reading) {
  Reporter* reporter = &reading->reporter;
  const auto report = [&](const std::string& why) {
    reporter->Error(value.at, fmt::format("{}: {}", what, why));
    return std::nullopt;
  };
  const absl::StatusOr<AssetReference> reference = ParseAssetReference(value.text);
  if (!reference.ok()) return report(std::string(reference.status().message()));
  const absl::StatusOr<AssetDocument>& found =
      FindAsset(AssetKind::kComponent, value.text, reading);
  ComponentSource source;
  if (!found.ok()) {
    source.is_elsewhere = !reference->registry.empty() &&
                          (absl::IsNotFound(found.status()) || reading->assets == nullptr);
    if (source.is_elsewhere) return source;
    return report(std::string(found.status().message()));
  }
  source.name = found->name;
  source.version = found->version;
  const std::string shown = fmt::format("azureml:{}:{}", source.name, source.version);
  auto [file, is_new] = reading->files.try_emplace(shown, nullptr);
  if (is_new) file->second = ParseYamlText(found->text, shown, &reading->arena, reporter);
  if (file->second == nullptr) return std::nullopt;
  source.map = file->second;
  source.shown = "'" + shown + "'";
  return source;
}

}  // namespace

std::optional<ComponentSource> FindComponent(const YamlNode& value,
                                             const Origin& origin,
                                             const std::string& what,
                                             Reading* reading) {
  Reporter* reporter = &reading->reporter;
  if (value.IsMap()) return ComponentSource{&value, origin, "of " + what, "", "", false};
  if (!value.IsScalar()) {
    reporter->Error(
        value.at,
        fmt::format("{}: component must be a path or a map, but is {}", what, NameOf(value.kind)));
    return std::nullopt;
  }
  if (IsAssetReference(value.text)) return FindRegistered(value, what, reading);
  const std::string written = WithoutFilePrefix(value.text);
  const std::string path = AbsoluteFrom(origin, written);
  const std::string shown = ShownFrom(origin, written);
  auto [file, is_new] = reading->files.try_emplace(path, nullptr);
  if (is_new) file->second = ParseYamlFile(path, shown, value.at, &reading->arena, reporter);
  if (file->second == nullptr) return std::nullopt;
  return ComponentSource{file->second, OriginOf(shown), "'" + shown + "'", "", "", false};
}

std::string WhyElsewhere(const std::string& reference) {
  return fmt::format(
      "'{}' is in a registry of Azure, which Potok cannot read; save its YAML, register it here "
      "with `potok component create -f FILE.yml`, and write component: azureml:NAME:VERSION",
      reference);
}

}  // namespace potok::client
