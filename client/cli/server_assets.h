// What is registered on the server that a command line means, for the reader of YAML.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "client/frontend/azureml/assets.h"
#include "client/potok_client/connection.h"

namespace potok::client {

class RegistryClient;

// One thread. Connects when the first thing is asked for, so that files that name nothing
// registered need no server.
class ServerAssets final : public Assets {
 public:
  using Connecting = std::function<absl::StatusOr<Connection>()>;
  // When there is no server: an error, or names stay as they are written where that is possible.
  enum class WithoutServer { kIsAnError, kKeepsNames };

  ServerAssets(Connecting connect, WithoutServer without_server);
  ~ServerAssets() override;

  absl::StatusOr<AssetDocument> Find(AssetKind kind, const AssetReference& reference) override;

 private:
  absl::Status EnsureConnected();

  const Connecting connect_;
  const WithoutServer without_server_;
  std::optional<absl::Status> connected_;  // how it went, once it was tried
  std::unique_ptr<RegistryClient> client_;
};

}  // namespace potok::client
