// A storage server in this process, on a unix socket, with a client.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/cas/cas_client.h"
#include "server/rpc/cas/byte_stream_service.h"
#include "server/rpc/cas/cas_service.h"

namespace potok {

// gRPC widens its windows by the bandwidth that it measures, to 12 MiB and more on a busy machine
// (seen with 1.51); what a cut loses would be anybody's guess. With these they are 1 MiB a stream.
inline constexpr std::pair<const char*, int> kFixedWindows[] = {
    {GRPC_ARG_HTTP2_BDP_PROBE, 0}, {GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 1 << 20}};

class CasServer {
 public:
  CasServer(BlobStore& store, const std::string& socket) : address_("unix:" + socket) {
    services_.push_back(server::MakeCasService(store));
    services_.push_back(server::MakeCapabilitiesService());
    services_.push_back(server::MakeByteStreamService(store));
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    for (const auto& [name, value] : kFixedWindows) builder.AddChannelArgument(name, value);
    for (const auto& service : services_) builder.RegisterService(service.get());
    // The last user of gRPC stops the library, which may wait for ten seconds for a poller
    // (seen with 1.51). So one use of it never ends.
    static const bool kInitialized = (grpc_init(), true);
    server_ = kInitialized ? builder.BuildAndStart() : nullptr;
    POTOK_CHECK(server_ != nullptr);
  }
  ~CasServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  const std::string& address() const { return address_; }

 private:
  const std::string address_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

// Comes back quickly after a cut.
inline std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  for (const auto& [name, value] : kFixedWindows) arguments.SetInt(name, value);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace potok
