// The Admin service.
#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "potok/v1/admin.grpc.pb.h"
#include "server/retention/collector.h"

namespace potok::server {

// Thread-safe. A collection of garbage blocks for as long as it takes, the rest for nothing.
class AdminService final : public v1::Admin::Service {
 public:
  // `make_code` gives a code that opens a browser session once, within `code_life`. `collector`
  // outlives it.
  AdminService(std::function<std::string()> make_code,
               absl::Duration code_life,
               Collector& collector)
      : make_code_(std::move(make_code)), code_life_(code_life), collector_(collector) {}

  // Where the HTTP port listens, "127.0.0.1:8780": told once it does.
  void SetHttpAddress(const std::string& address);

  grpc::Status CreateWebLink(grpc::ServerContext* context,
                             const v1::CreateWebLinkRequest* request,
                             v1::CreateWebLinkResponse* response) override;
  grpc::Status CollectGarbage(grpc::ServerContext* context,
                              const v1::CollectGarbageRequest* request,
                              grpc::ServerWriter<v1::CollectGarbageProgress>* writer) override;

 private:
  const std::function<std::string()> make_code_;
  const absl::Duration code_life_;
  Collector& collector_;
  Mutex mutex_;
  std::string http_address_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
