#include "client/cli/server_assets.h"

#include "client/potok_client/registry_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {

ServerAssets::ServerAssets(Connecting connect, WithoutServer without_server)
    : connect_(std::move(connect)), without_server_(without_server) {}
ServerAssets::~ServerAssets() = default;

absl::Status ServerAssets::EnsureConnected() {
  if (connected_.has_value()) return *connected_;
  const absl::StatusOr<Connection> connection = connect_();
  connected_ = connection.status();
  if (connection.ok()) client_ = std::make_unique<RegistryClient>(connection->channel());
  return *connected_;
}

absl::StatusOr<AssetDocument> ServerAssets::Find(AssetKind kind, const AssetReference& reference) {
  if (const absl::Status reached = EnsureConnected(); !reached.ok()) {
    const std::string why = fmt::format("'azureml:{}' is registered on a server: {}",
                                        ToString(reference),
                                        std::string(reached.message()));
    if (without_server_ == WithoutServer::kIsAnError) return absl::UnavailableError(why);
    return absl::FailedPreconditionError(why);
  }
  v1::GetAssetRequest request;
  request.set_kind(static_cast<v1::AssetKind>(kind));
  request.set_name(reference.name);
  request.set_version(reference.version);
  request.set_label(reference.label);
  absl::StatusOr<v1::Asset> found = client_->Get(request);
  if (absl::IsUnimplemented(found.status())) {
    return absl::FailedPreconditionError(
        fmt::format("'azureml:{}' cannot be looked up: this server is of a version without a "
                    "registry; upgrade it",
                    ToString(reference)));
  }
  if (!found.ok()) return found.status();
  v1::Asset& asset = *found;
  return AssetDocument{asset.name(), asset.version(), std::move(*asset.mutable_document())};
}

}  // namespace potok::client
