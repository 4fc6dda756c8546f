#include "server/rpc/registry_service.h"

#include <cstdlib>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/artifact_reference.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr int kAssetsDefault = 50;
constexpr int kAssetsMax = 1000;

absl::StatusOr<AssetKind> KindOf(v1::AssetKind kind) {
  if (kind > v1::ASSET_KIND_UNSPECIFIED && kind <= v1::ASSET_KIND_DATASTORE) {
    return static_cast<AssetKind>(kind);
  }
  return absl::InvalidArgumentError(
      "kind must be that of a component, an environment, data, a model or a datastore");
}

using TextMap = google::protobuf::Map<std::string, std::string>;

std::map<std::string, std::string> MapOf(const TextMap& map) {
  return {map.begin(), map.end()};
}

// Of any request that names one version.
template <class Request>
absl::StatusOr<AssetChoice> ChoiceOf(const Request& request) {
  POTOK_ASSIGN_OR_RETURN(const AssetKind kind, KindOf(request.kind()));
  return AssetChoice{kind, request.name(), request.version(), request.label()};
}

absl::StatusOr<AssetFilter> AssetFilterOf(const v1::ListAssetsRequest& request) {
  AssetFilter filter;
  POTOK_ASSIGN_OR_RETURN(filter.kind, KindOf(request.kind()));
  filter.name = request.name();
  if (request.archived() == v1::ARCHIVED_FILTER_ALL) filter.archived = Archived::kAll;
  if (request.archived() == v1::ARCHIVED_FILTER_ONLY) filter.archived = Archived::kOnly;
  filter.limit = request.page_size() == 0 ? kAssetsDefault : request.page_size();
  if (filter.limit < 0 || filter.limit > kAssetsMax) {
    return absl::InvalidArgumentError(
        fmt::format("page_size is 1 to {}, not {}", kAssetsMax, request.page_size()));
  }
  if (!request.page_token().empty()) {
    char* end = nullptr;
    filter.before_id = std::strtoll(request.page_token().c_str(), &end, 10);
    if (*end != '\0' || filter.before_id <= 0) {
      return absl::InvalidArgumentError("page_token is not one that this service gave");
    }
  }
  return filter;
}

v1::Asset AssetMessage(const AssetRow& row) {
  v1::Asset asset;
  asset.set_kind(static_cast<v1::AssetKind>(row.kind));
  asset.set_name(row.name);
  asset.set_version(row.version);
  asset.set_document(row.document);
  for (const std::string& text : row.artifacts) {
    const auto artifact = ParseArtifactReference(text);
    if (artifact.ok()) *asset.add_artifacts() = potok::ToProto(*artifact);
  }
  asset.set_description(row.description);
  asset.set_display_name(row.display_name);
  asset.mutable_tags()->insert(row.tags.begin(), row.tags.end());
  asset.mutable_properties()->insert(row.properties.begin(), row.properties.end());
  for (const std::string& label : row.labels) asset.add_labels(label);
  asset.set_created_us(row.created_us);
  asset.set_created_by(row.created_by);
  asset.set_modified_us(row.modified_us);
  asset.set_archived(row.archived);
  asset.set_made_by(row.made_by);
  return asset;
}

grpc::Status Respond(const absl::StatusOr<AssetRow>& row, v1::Asset* response) {
  if (!row.ok()) return ToGrpc(row.status());
  *response = AssetMessage(*row);
  return grpc::Status::OK;
}

}  // namespace

grpc::Status RegistryService::Create(grpc::ServerContext* /*context*/,
                                     const v1::CreateAssetRequest* request,
                                     v1::CreateAssetResponse* response) {
  const auto kind = KindOf(request->kind());
  if (!kind.ok()) return ToGrpc(kind.status());
  NewAsset asset;
  asset.kind = *kind;
  asset.name = request->name();
  asset.version = request->version();
  asset.document = request->document();
  asset.description = request->description();
  asset.display_name = request->display_name();
  asset.tags = MapOf(request->tags());
  asset.properties = MapOf(request->properties());
  asset.created_by = request->submitter();
  const auto created = registry_.Create(std::move(asset));
  if (!created.ok()) return ToGrpc(created.status());
  *response->mutable_asset() = AssetMessage(created->row);
  response->set_created(created->is_new);
  return grpc::Status::OK;
}

grpc::Status RegistryService::Get(grpc::ServerContext* /*context*/,
                                  const v1::GetAssetRequest* request,
                                  v1::Asset* response) {
  const auto choice = ChoiceOf(*request);
  if (!choice.ok()) return ToGrpc(choice.status());
  return Respond(registry_.Get(*choice), response);
}

grpc::Status RegistryService::List(grpc::ServerContext* /*context*/,
                                   const v1::ListAssetsRequest* request,
                                   v1::ListAssetsResponse* response) {
  const auto filter = AssetFilterOf(*request);
  if (!filter.ok()) return ToGrpc(filter.status());
  const auto rows = registry_.List(*filter);
  if (!rows.ok()) return ToGrpc(rows.status());
  for (const AssetRow& row : *rows) *response->add_assets() = AssetMessage(row);
  const bool is_full = rows->size() == static_cast<std::size_t>(filter->limit);
  if (is_full && !rows->empty()) {
    response->set_next_page_token(fmt::format("{}", rows->back().id));
  }
  return grpc::Status::OK;
}

grpc::Status RegistryService::Update(grpc::ServerContext* /*context*/,
                                     const v1::UpdateAssetRequest* request,
                                     v1::Asset* response) {
  const auto choice = ChoiceOf(*request);
  if (!choice.ok()) return ToGrpc(choice.status());
  AssetChange change;
  if (request->has_description()) change.description = request->description();
  if (request->has_display_name()) change.display_name = request->display_name();
  change.set_tags = MapOf(request->set_tags());
  change.remove_tags = {request->remove_tags().begin(), request->remove_tags().end()};
  change.set_properties = MapOf(request->set_properties());
  change.remove_properties = {request->remove_properties().begin(),
                              request->remove_properties().end()};
  return Respond(
      registry_.Update(*choice,
                       std::move(change),
                       {request->add_labels().begin(), request->add_labels().end()},
                       {request->remove_labels().begin(), request->remove_labels().end()}),
      response);
}

grpc::Status RegistryService::SetArchived(const v1::ArchiveAssetRequest& request,
                                          bool archived,
                                          v1::ArchiveAssetResponse* response) {
  const auto choice = ChoiceOf(request);
  if (!choice.ok()) return ToGrpc(choice.status());
  const auto changed = registry_.SetArchived(*choice, archived);
  if (!changed.ok()) return ToGrpc(changed.status());
  response->set_versions(*changed);
  return grpc::Status::OK;
}

grpc::Status RegistryService::Archive(grpc::ServerContext* /*context*/,
                                      const v1::ArchiveAssetRequest* request,
                                      v1::ArchiveAssetResponse* response) {
  return SetArchived(*request, /*archived=*/true, response);
}

grpc::Status RegistryService::Restore(grpc::ServerContext* /*context*/,
                                      const v1::ArchiveAssetRequest* request,
                                      v1::ArchiveAssetResponse* response) {
  return SetArchived(*request, /*archived=*/false, response);
}

grpc::Status RegistryService::Resolve(grpc::ServerContext* /*context*/,
                                      const v1::ResolveAssetRequest* request,
                                      v1::Asset* response) {
  const auto kind = KindOf(request->kind());
  if (!kind.ok()) return ToGrpc(kind.status());
  return Respond(registry_.Resolve(*kind, request->reference()), response);
}

grpc::Status RegistryService::Locate(grpc::ServerContext* /*context*/,
                                     const v1::LocateRequest* request,
                                     v1::Artifact* response) {
  const std::string& uri = request->uri();
  const bool is_output = uri.rfind("azureml://jobs/", 0) == 0 || uri.rfind("runs:/", 0) == 0;
  const auto artifact = IsArtifactReference(uri) ? ParseArtifactReference(uri)
                        : is_output              ? find_output_(uri)
                                                 : datastores_.Import(uri);
  if (!artifact.ok()) return ToGrpc(artifact.status());
  *response = potok::ToProto(*artifact);
  return grpc::Status::OK;
}

grpc::Status RegistryService::Export(grpc::ServerContext* /*context*/,
                                     const v1::ExportRequest* request,
                                     v1::ExportResponse* /*response*/) {
  const auto artifact = potok::FromProto(request->artifact());
  if (!artifact.ok()) return ToGrpc(artifact.status());
  return ToGrpc(datastores_.Export(*artifact, request->uri()));
}

}  // namespace potok::server
