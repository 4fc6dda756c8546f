// The Artifacts service: where the bytes are.
#pragma once

#include <string>
#include <utility>

#include "potok/v1/artifacts.grpc.pb.h"

namespace potok::server {

class ArtifactsService final : public v1::Artifacts::Service {
 public:
  // `address` of another store; empty: this server's own.
  explicit ArtifactsService(std::string address) : address_(std::move(address)) {}

  grpc::Status GetStore(grpc::ServerContext* /*context*/,
                        const v1::GetStoreRequest* /*request*/,
                        v1::GetStoreResponse* response) override {
    response->set_address(address_);
    return grpc::Status::OK;
  }

 private:
  const std::string address_;
};

}  // namespace potok::server
