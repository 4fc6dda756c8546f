#include "server/front.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/impl/service_type.h>
#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "fmt/format.h"
#include "server/http/process_metrics.h"

namespace potok::server {

namespace {

absl::StatusOr<std::unique_ptr<grpc::Server>> Listen(const ServerConfig& config,
                                                     const Services& services) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  const std::string path = config.listen.substr(5);
  // The socket is made 0600: whoever can open it may submit (gRPC 1.51 does not tell the peer's
  // uid).
  const mode_t before = umask(0177);
  builder.AddListeningPort(config.listen, grpc::InsecureServerCredentials());
  if (!config.insecure_listen.empty()) {
    spdlog::warn(
        "listening without TLS or authentication address={}: whoever reaches it can run commands "
        "here",
        config.insecure_listen);
    builder.AddListeningPort(config.insecure_listen, grpc::InsecureServerCredentials());
  }
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.SetMaxSendMessageSize(64 << 20);
  // Agents ping every 4 s, idle or not; without this the answer is GOAWAY too_many_pings.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 2000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.RegisterService(services.runs.get());
  builder.RegisterService(services.machines.get());
  builder.RegisterService(services.pools.get());
  builder.RegisterService(services.agents.get());
  builder.RegisterService(services.admin.get());
  builder.RegisterService(services.notifications.get());
  builder.RegisterService(services.artifacts.get());
  builder.RegisterService(services.registry.get());
  builder.RegisterService(services.metrics.get());
  builder.RegisterService(services.teams.get());
  for (const auto& service : services.storage) builder.RegisterService(service.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(before);
  if (server == nullptr) {
    return absl::UnavailableError(
        fmt::format("cannot listen on {}{}{}; is another server using it?",
                    config.listen,
                    config.insecure_listen.empty() ? "" : " and ",
                    config.insecure_listen));
  }
  return server;
}

// Running steps know the port of before: it is taken again where any would do.
absl::StatusOr<std::unique_ptr<HttpServer>> BindHttp(const ServerConfig& config) {
  const std::string path = config.home + "/http.address";
  const std::string any = ":0";
  std::string before;
  std::getline(std::ifstream(path), before);
  const std::string host = config.http_listen.substr(0, config.http_listen.rfind(':'));
  if (config.http_listen == host + any && before.rfind(host + ":", 0) == 0) {
    auto bound = HttpServer::Bind(before);
    if (bound.ok()) return bound;
  }
  return HttpServer::Bind(config.http_listen);
}

absl::StatusOr<HttpPorts> OpenHttpPorts(const ServerConfig& config,
                                        const TrackingSources& sources,
                                        StepTracking& offered) {
  HttpPorts ports;
  POTOK_ASSIGN_OR_RETURN(ports.http, BindHttp(config));
  std::string uri = "http://" + ports.http->address();
  if (!config.tracking_listen.empty()) {
    POTOK_ASSIGN_OR_RETURN(ports.tracking, TrackingPort::Start(config.tracking_listen, sources));
    uri = "http://" + ports.tracking->address();
  }
  if (!config.tracking_url.empty()) uri = config.tracking_url;
  offered.SetUri(uri);
  return ports;
}

void ServeHttp(const ServerConfig& config,
               const FrontParts& parts,
               grpc::Server& api,
               HttpServer& http) {
  HttpSources sources;
  sources.tracking = parts.tracking;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // the services have their own limits
  sources.api = api.InProcessChannel(arguments);
  sources.access = &parts.access;
  sources.metrics = [registry = parts.registry] {
    std::vector<prometheus::MetricFamily> families = registry->Collect();
    for (prometheus::MetricFamily& family : ProcessMetrics().Collect())
      families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
  };
  sources.healthy = [] { return absl::OkStatus(); };
  sources.ready = [&scheduler = parts.scheduler]() -> absl::Status {
    if (!scheduler.started()) return absl::UnavailableError("the scheduler is starting");
    if (!scheduler.MaySpeak()) return absl::UnavailableError("the database does not answer");
    return absl::OkStatus();
  };
  http.Serve(std::move(sources));
  const std::string path = config.home + "/http.address";
  std::ofstream(path + ".tmp") << http.address() << "\n";
  std::filesystem::rename(path + ".tmp", path);
}

}  // namespace

Front OpenFront(const ServerConfig& config, const FrontParts& parts, StepTracking& offered) {
  Front front;
  auto http = OpenHttpPorts(config, parts.tracking, offered);
  if (!http.ok()) {
    front.started = http.status();
    return front;
  }
  front.http = *std::move(http);
  auto grpc = Listen(config, parts.services);
  if (!grpc.ok()) {
    front.started = grpc.status();
    return front;
  }
  front.grpc = *std::move(grpc);
  ServeHttp(config, parts, *front.grpc, *front.http.http);
  parts.services.admin->SetHttpAddress(front.http.http->address());
  return front;
}

}  // namespace potok::server
