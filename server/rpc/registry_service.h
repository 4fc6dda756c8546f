// The Registry service. Thread-safe; its calls block.
#pragma once

#include "potok/v1/registry.grpc.pb.h"
#include "server/artifacts/datastore.h"
#include "server/registry/registry.h"

namespace potok::server {

class RegistryService final : public v1::Registry::Service {
 public:
  // All references outlive this.
  RegistryService(Registry& registry, Datastores& datastores, FindRunOutput find_output)
      : registry_(registry), datastores_(datastores), find_output_(std::move(find_output)) {}

  grpc::Status Create(grpc::ServerContext* context,
                      const v1::CreateAssetRequest* request,
                      v1::CreateAssetResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetAssetRequest* request,
                   v1::Asset* response) override;
  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListAssetsRequest* request,
                    v1::ListAssetsResponse* response) override;
  grpc::Status Update(grpc::ServerContext* context,
                      const v1::UpdateAssetRequest* request,
                      v1::Asset* response) override;
  grpc::Status Archive(grpc::ServerContext* context,
                       const v1::ArchiveAssetRequest* request,
                       v1::ArchiveAssetResponse* response) override;
  grpc::Status Restore(grpc::ServerContext* context,
                       const v1::ArchiveAssetRequest* request,
                       v1::ArchiveAssetResponse* response) override;
  grpc::Status Resolve(grpc::ServerContext* context,
                       const v1::ResolveAssetRequest* request,
                       v1::Asset* response) override;
  grpc::Status Locate(grpc::ServerContext* context,
                      const v1::LocateRequest* request,
                      v1::Artifact* response) override;
  grpc::Status Export(grpc::ServerContext* context,
                      const v1::ExportRequest* request,
                      v1::ExportResponse* response) override;

 private:
  grpc::Status SetArchived(const v1::ArchiveAssetRequest& request,
                           bool archived,
                           v1::ArchiveAssetResponse* response);

  Registry& registry_;
  Datastores& datastores_;
  const FindRunOutput find_output_;
};

}  // namespace potok::server
