#include "server/rpc/admin_service.h"

#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok::server {

void AdminService::SetHttpAddress(const std::string& address) {
  MutexLock lock(mutex_);
  http_address_ = address;
}

grpc::Status AdminService::CreateWebLink(grpc::ServerContext* /*context*/,
                                         const v1::CreateWebLinkRequest* /*request*/,
                                         v1::CreateWebLinkResponse* response) {
  MutexLock lock(mutex_);
  if (http_address_.empty()) {
    return ToGrpc(absl::UnavailableError("the HTTP port is not open yet; try again in a second"));
  }
  response->set_url(fmt::format("http://{}/login?code={}", http_address_, make_code_()));
  response->set_expires_us(absl::ToUnixMicros(absl::Now() + code_life_));
  return grpc::Status::OK;
}

}  // namespace potok::server
