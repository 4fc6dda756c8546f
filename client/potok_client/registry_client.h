// What is registered on a server. Thread-safe; every call blocks. Statuses are those of
// registry.proto.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "potok/v1/registry.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class RegistryClient {
 public:
  explicit RegistryClient(const std::shared_ptr<grpc::Channel>& channel);
  ~RegistryClient();
  RegistryClient(RegistryClient&&) noexcept;

  absl::StatusOr<v1::CreateAssetResponse> Create(const v1::CreateAssetRequest& request);
  absl::StatusOr<v1::Asset> Get(const v1::GetAssetRequest& request);
  // Up to `results_max` over as many pages as that needs. `request` without its page.
  absl::StatusOr<std::vector<v1::Asset>> List(const v1::ListAssetsRequest& request,
                                              std::size_t results_max);
  absl::StatusOr<v1::Asset> Update(const v1::UpdateAssetRequest& request);
  // How many versions changed.
  absl::StatusOr<int> Archive(const v1::ArchiveAssetRequest& request);
  absl::StatusOr<int> Restore(const v1::ArchiveAssetRequest& request);
  absl::StatusOr<v1::Asset> Resolve(v1::AssetKind kind, const std::string& reference);
  absl::StatusOr<v1::Artifact> Locate(const std::string& uri);
  absl::Status Export(const v1::Artifact& artifact, const std::string& uri);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
