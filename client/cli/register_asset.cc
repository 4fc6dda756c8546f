#include "client/cli/register_asset.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "client/cli/server_assets.h"
#include "client/cli/show/asset_object.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/value.h"
#include "client/cli/transfer_report.h"
#include "client/frontend/azureml/asset_file.h"
#include "client/frontend/azureml/yaml_json.h"
#include "client/potok_client/artifacts_client.h"
#include "client/potok_client/registry_client.h"
#include "client/potok_client/upload.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/pipeline/artifact_reference.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

namespace fs = std::filesystem;

v1::CreateAssetRequest CreateRequestOf(const AssetFile& asset, const std::string& user) {
  v1::CreateAssetRequest request;
  request.set_kind(static_cast<v1::AssetKind>(asset.kind));
  request.set_name(asset.name);
  request.set_version(asset.version);
  request.set_document(asset.document);
  request.set_description(asset.description);
  request.set_display_name(asset.display_name);
  request.mutable_tags()->insert(asset.tags.begin(), asset.tags.end());
  request.mutable_properties()->insert(asset.properties.begin(), asset.properties.end());
  request.set_submitter(user);
  return request;
}

// A document in which artifacts become paths beside the file, and where each is to be laid.
class BesideFile {
 public:
  Value Of(const Value& value, const std::string& key) {
    if (const std::string* text = value.AsText(); text != nullptr && IsArtifactReference(*text)) {
      return Value("./" + PlaceOf(*text, key));
    }
    if (const Array* array = value.AsArray()) {
      Array items;
      for (const Value& item : *array) items.push_back(Of(item, key));
      return Value(std::move(items));
    }
    if (const Object* object = value.AsObject()) {
      Object members;
      for (const Member& member : *object) {
        members.emplace_back(member.first, Of(member.second, member.first));
      }
      return Value(std::move(members));
    }
    return value;
  }

  // Artifact to path.
  const std::map<std::string, std::string>& places() const { return places_; }

 private:
  std::string PlaceOf(const std::string& artifact, const std::string& key) {
    const auto known = places_.find(artifact);
    if (known != places_.end()) return known->second;
    const std::string wished = key == "path" ? "context" : key;
    std::string place = wished;
    for (int i = 2; taken_.contains(place); ++i) place = fmt::format("{}-{}", wished, i);
    taken_.insert(place);
    return places_[artifact] = place;
  }

  std::map<std::string, std::string> places_;
  std::set<std::string> taken_;
};

absl::Status MakeTargetFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
}

absl::Status DownloadDocument(const Context& context,
                              const Connection& connection,
                              const v1::Asset& asset,
                              const fs::path& folder) {
  BesideFile beside;
  const Value document = beside.Of(AssetDocumentObject(asset), "");
  POTOK_RETURN_IF_ERROR(MakeTargetFolder(folder));
  for (const auto& [text, place] : beside.places()) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, ParseArtifactReference(text));
    POTOK_RETURN_IF_ERROR(
        FetchArtifact(context, connection, potok::ToProto(artifact), (folder / place).string()));
  }
  const fs::path path = folder / (NounOf(asset.kind()) + ".yml");
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << ToYaml(document);
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot write {}", path.string()));
}

}  // namespace

std::string TextAssignment(const std::string& key, const std::string& value) {
  return fmt::format("{}={}", key, QuotedJson(value));
}

std::string AbsoluteOption(const Context& context, const std::string& path) {
  const bool is_address = path.find("://") != std::string::npos || path.rfind("azureml:", 0) == 0 ||
                          path.rfind("runs:/", 0) == 0 || IsArtifactReference(path);
  if (is_address) return path;
  return (fs::path(context.working_folder) / path).lexically_normal().string();
}

absl::StatusOr<v1::CreateAssetResponse> RegisterAsset(const Context& context,
                                                      const Connection& connection,
                                                      const AssetSource& source) {
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  CasClient cas(channel);
  const StoreSnapshot store = StoreOver(context, cas);
  ServerAssets assets([&] { return absl::StatusOr<Connection>(connection); },
                      ServerAssets::WithoutServer::kIsAnError);
  AssetOptions options;
  options.set = source.set;
  options.assets = &assets;
  options.folder_content = [](const std::string& folder) {
    return ContentOfCode(LocalCode{folder, {}});
  };
  options.files.store_code = [&](const LocalCode& code) { return StoreCode(code, store); };
  options.files.store_data = [&](const std::string& path) { return StorePath(path, store); };
  options.skip_validation = source.skip_validation;
  const LoadedAsset loaded = LoadAsset(source.kind, source.file, options);
  const int errors = SayDiagnostics(context, loaded.diagnostics);
  POTOK_RETURN_IF_ERROR(loaded.stored);
  if (!loaded.asset.has_value()) {
    const std::string what = source.file.empty() ? "nothing" : source.file;
    return absl::InvalidArgumentError(fmt::format(
        "{} was {}registered: {} error(s) in it", what, source.file.empty() ? "" : "not ", errors));
  }
  return RegistryClient(connection.channel()).Create(CreateRequestOf(*loaded.asset, context.user));
}

absl::Status FetchArtifact(const Context& context,
                           const Connection& connection,
                           const v1::Artifact& artifact,
                           const std::string& target) {
  POTOK_ASSIGN_OR_RETURN(const Artifact wanted, potok::FromProto(artifact));
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  POTOK_RETURN_IF_ERROR(MakeTargetFolder(fs::path(target).parent_path()));
  CasClient cas(channel);
  TransferReport report(context, "Downloading " + target);
  return cas.Fetch(wanted, target, nullptr, Placing::kCopy, [&](const TransferProgress& now) {
    report.Say(now);
  });
}

absl::Status DownloadAsset(const Context& context,
                           const Connection& connection,
                           const v1::Asset& asset,
                           const std::string& target) {
  if (fs::exists(fs::symlink_status(target))) {
    return absl::AlreadyExistsError(fmt::format(
        "{} is there already and was left as it is; remove it, or choose another folder with -p",
        target));
  }
  const bool is_data = asset.kind() == v1::ASSET_KIND_DATA || asset.kind() == v1::ASSET_KIND_MODEL;
  if (!is_data) return DownloadDocument(context, connection, asset, target);
  POTOK_ASSIGN_OR_RETURN(const Value document, ParseJson(asset.document()));
  std::string path;
  for (const Member& member : *document.AsObject()) {
    if (member.first == "path" && member.second.AsText() != nullptr) path = *member.second.AsText();
  }
  POTOK_ASSIGN_OR_RETURN(const v1::Artifact artifact,
                         RegistryClient(connection.channel()).Locate(path));
  const std::string name = artifact.file_name().empty() ? asset.name() : artifact.file_name();
  return FetchArtifact(context,
                       connection,
                       artifact,
                       artifact.is_folder() ? target : (fs::path(target) / name).string());
}

}  // namespace potok::client
