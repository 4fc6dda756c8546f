#include "tests/bench/reference_server.h"

#include <grpcpp/grpcpp.h>

#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "potok/v1/agents.grpc.pb.h"
#include "potok/v1/runs.grpc.pb.h"
#include "tests/bench/machine.h"

namespace potok::bench {
namespace {

constexpr std::int64_t kMessageBytes = 64 << 10;

// Answers every message of an agent with an empty one.
class Echo final : public v1::Agents::CallbackService {
  class Stream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ServerMessage> {
   public:
    Stream() { StartRead(&request_); }
    void OnReadDone(bool ok) override { ok ? StartWrite(&response_) : Finish(grpc::Status::OK); }
    void OnWriteDone(bool ok) override { ok ? StartRead(&request_) : Finish(grpc::Status::OK); }
    void OnDone() override { delete this; }

   private:
    v1::AgentMessage request_;
    v1::ServerMessage response_;
  };

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ServerMessage>* Connect(
      grpc::CallbackServerContext*) override {
    return new Stream();
  }
};

// Sends as many bytes as the request's offset says.
class Source final : public v1::Runs::Service {
  grpc::Status Logs(grpc::ServerContext*,
                    const v1::LogsRequest* request,
                    grpc::ServerWriter<v1::LogsResponse>* writer) override {
    v1::LogsResponse response;
    response.set_data(std::string(kMessageBytes, 'x'));
    for (std::int64_t sent = 0; sent < request->offset(); sent += kMessageBytes) {
      if (!writer->Write(response)) break;
    }
    return grpc::Status::OK;
  }
};

}  // namespace

class ReferenceServer::Service {
 public:
  explicit Service(const std::string& address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(&echo_);
    builder.RegisterService(&source_);
    server_ = builder.BuildAndStart();
  }
  ~Service() {
    if (server_ != nullptr) server_->Shutdown();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  bool started() const { return server_ != nullptr; }

 private:
  Echo echo_;
  Source source_;
  std::unique_ptr<grpc::Server> server_;
};

ReferenceServer::ReferenceServer() = default;
ReferenceServer::~ReferenceServer() = default;

absl::StatusOr<std::unique_ptr<ReferenceServer>> ReferenceServer::Start(const std::string& folder) {
  const std::string address = "unix:" + folder + "/reference.sock";
  std::unique_ptr<ReferenceServer> server(new ReferenceServer());
  server->service_ = std::make_unique<Service>(address);
  if (!server->service_->started()) {
    return absl::UnavailableError(fmt::format("cannot serve at {}", address));
  }
  server->channel_ = MakeChannel(address);
  POTOK_RETURN_IF_ERROR(server->Stream(kMessageBytes).status());  // connects
  return server;
}

absl::StatusOr<double> ReferenceServer::Stream(std::int64_t bytes) {
  const std::unique_ptr<v1::Runs::Stub> stub = v1::Runs::NewStub(channel_);
  grpc::ClientContext context;
  v1::LogsRequest request;
  request.set_offset(bytes);
  const double began = NowMicros();
  const auto reader = stub->Logs(&context, request);
  v1::LogsResponse response;
  while (reader->Read(&response)) {
  }
  POTOK_RETURN_IF_ERROR(FromGrpc(reader->Finish()));
  return NowMicros() - began;
}

absl::StatusOr<std::vector<double>> ReferenceServer::RoundTrips(int count) {
  const std::unique_ptr<v1::Agents::Stub> stub = v1::Agents::NewStub(channel_);
  grpc::ClientContext context;
  const auto stream = stub->Connect(&context);
  std::vector<double> micros;
  v1::AgentMessage request;
  request.mutable_heartbeat();
  v1::ServerMessage response;
  for (int i = 0; i < count; ++i) {
    const double began = NowMicros();
    if (!stream->Write(request) || !stream->Read(&response)) break;
    micros.push_back(NowMicros() - began);
  }
  stream->WritesDone();
  POTOK_RETURN_IF_ERROR(FromGrpc(stream->Finish()));
  return micros;
}

}  // namespace potok::bench
