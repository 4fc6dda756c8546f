// potok-store: only the storage services of potok-server, for a store of its own machine or disk.

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "common/runtime/flags.h"
#include "common/runtime/logging.h"
#include "common/runtime/signals.h"
#include "fmt/format.h"
#include "server/rpc/cas/blob_services.h"

ABSL_FLAG(std::string, home, "", "Folder of the blobs; made if it does not exist. Needed.");
ABSL_FLAG(std::string,
          listen,
          "",
          "unix:/path (made with mode 0600) or HOST:PORT. A port has neither TLS nor "
          "authentication: whoever reaches it reads and adds artifacts. Needed.");
ABSL_FLAG(std::string, log_level, "info", "trace, debug, info, warn or error.");

namespace {

absl::Status Serve(const std::string& home, const std::string& listen) {
  if (home.empty() || home[0] != '/') {
    return absl::InvalidArgumentError(fmt::format("--home={}: give an absolute path", home));
  }
  if (listen.find(':') == std::string::npos) {
    return absl::InvalidArgumentError(
        fmt::format("--listen={}: give unix:/path or HOST:PORT", listen));
  }
  POTOK_ASSIGN_OR_RETURN(const auto blobs, potok::BlobStore::Open({.root = home}));
  const auto services = potok::server::MakeBlobServices(*blobs);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  // The channels of clients and agents ping as they do to potok-server.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 2000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, potok::kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, potok::kWindowBytes);
  for (const auto& service : services) builder.RegisterService(service.get());
  const mode_t before = umask(0177);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(before);
  if (server == nullptr) {
    return absl::UnavailableError(fmt::format("cannot listen on {}; is it in use?", listen));
  }
  spdlog::info("store ready listen={} home={}", listen, home);
  potok::WaitForStopSignal();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Artifacts of Potok on a disk of their own, by the storage protocol of the Remote Execution "
      "API.\n\n"
      "  potok-store --home=/data/potok --listen=10.0.0.2:8480\n\n"
      "Then start potok-server and every potok-agent with --artifacts=grpc://10.0.0.2:8480.");
  absl::FlagsUsageConfig usage;
  usage.version_string = [] { return std::string("potok-store " POTOK_VERSION "\n"); };
  absl::SetFlagsUsageConfig(usage);
  std::vector<std::string> arguments;
  std::vector<char*> flags = potok::FlagArguments({argv, argv + argc}, {}, arguments);
  absl::ParseCommandLine(static_cast<int>(arguments.size()), flags.data());
  absl::Status status = potok::InitLogging(absl::GetFlag(FLAGS_log_level));
  if (status.ok()) {
    potok::BlockStopSignals();
    status = Serve(absl::GetFlag(FLAGS_home), absl::GetFlag(FLAGS_listen));
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "potok-store: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}
