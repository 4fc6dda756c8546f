#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <utility>

#include "common/base/age.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "common/runtime/logging.h"
#include "common/runtime/real_clock.h"
#include "common/runtime/signals.h"
#include "server/embedded/embedded_postgres.h"
#include "server/embedded/postgres_watch.h"
#include "server/http/access.h"
#include "server/http/http_server.h"
#include "server/http/process_metrics.h"
#include "server/http/tracking_port.h"
#include "server/retention/collector.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/agents_service.h"
#include "server/rpc/artifacts_service.h"
#include "server/rpc/cas/blob_services.h"
#include "server/rpc/machines_service.h"
#include "server/rpc/metrics_service.h"
#include "server/rpc/output_assets.h"
#include "server/rpc/registry_service.h"
#include "server/rpc/run_outputs.h"
#include "server/rpc/runs_service.h"
#include "server/store/postgres/postgres_store.h"
#include "server/store/postgres/postgres_tracking.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_api.h"
#include "server/tracking/tracking_writer.h"

namespace potok::server {

namespace {

constexpr int kWatchThreads = 2;
constexpr int kLogThreads = 4;
// Of another store's blobs: folders, and files on their way.
constexpr std::int64_t kCacheBytes = std::int64_t{1} << 30;
constexpr absl::Duration kDrainTime = absl::Seconds(5);

SchedulerOptions SchedulerOptionsOf(const ServerConfig& config) {
  SchedulerOptions options;
  options.decide.lease = config.lease;
  options.decide.lease_grace = config.lease_grace;
  options.decide.silent_after = config.silent_after;
  options.decide.unknown_pool_is_default = config.unknown_pool_is_default;
  options.decide.forced_results_offered = config.forced_results_offered;
  return options;
}

absl::Status MakeHome(const ServerConfig& config) {
  std::error_code error;
  std::filesystem::create_directories(config.home, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("--home={}: cannot make the folder: {}", config.home, error.message()));
  }
  return absl::OkStatus();
}

// What owns the data: opened first, closed last.
struct Storage {
  std::unique_ptr<EmbeddedPostgres> postgres;
  std::unique_ptr<PostgresWatch> watch;
  StoreBundle bundle;
  std::unique_ptr<TrackingStore> tracking;
  std::unique_ptr<BlobStore> blobs;  // the store, or a cache of another
  std::unique_ptr<ArtifactStore> artifacts;
  std::unique_ptr<Datastores> datastores;
  std::unique_ptr<LogStore> logs;
};

absl::StatusOr<Storage> OpenStorage(const ServerConfig& config) {
  Storage storage;
  std::string url = config.database;
  if (!config.embedded_postgres.empty()) {
    POTOK_ASSIGN_OR_RETURN(storage.postgres, EmbeddedPostgres::Start(config.embedded_postgres));
    storage.watch = std::make_unique<PostgresWatch>(*storage.postgres);
    url = storage.postgres->url();
  }
  POTOK_ASSIGN_OR_RETURN(storage.bundle, OpenPostgres(url));
  storage.tracking = OpenTracking(url);
  BlobStoreOptions blobs{.root = config.home + "/blobs",
                         .quota_bytes = *ParseBytes(config.artifacts_quota),
                         .free_bytes_min = *ParseBytes(config.disk_reserve)};
  if (!config.artifacts.empty()) {
    blobs = {.root = config.home + "/cache", .durable = false, .bytes_max = kCacheBytes};
  }
  POTOK_ASSIGN_OR_RETURN(storage.blobs, BlobStore::Open(blobs));
  storage.artifacts = config.artifacts.empty() ? LocalArtifacts(*storage.blobs)
                                               : RemoteArtifacts(config.artifacts, *storage.blobs);
  POTOK_ASSIGN_OR_RETURN(storage.datastores,
                         Datastores::Open(config.datastores, *storage.artifacts));
  POTOK_ASSIGN_OR_RETURN(storage.logs, LogStore::Open(config.home + "/step-logs"));
  return storage;
}

// What `storage` and `scheduler` know of what is kept; both outlive it.
Collector::Parts CollectorPartsOf(const ServerConfig& config,
                                  Storage& storage,
                                  Scheduler& scheduler) {
  constexpr absl::Duration kSettleTime = absl::Minutes(2);
  Collector::Parts parts;
  parts.store = storage.bundle.retention.get();
  if (config.artifacts.empty()) parts.blobs = storage.blobs.get();
  parts.logs = storage.logs.get();
  parts.settle = [&projector = *storage.bundle.projector, &scheduler] {
    return projector.WaitFor(scheduler.committed_revision(), kSettleTime, Haste::kNow);
  };
  parts.retention = *ParseAge(config.retention);
  return parts;
}

FindLiveRun LiveRunsOf(Scheduler& scheduler) {
  return [&scheduler](RunId id) -> absl::StatusOr<LiveRun> {
    auto promise = std::make_shared<std::promise<absl::StatusOr<LiveRun>>>();
    auto answer = promise->get_future();
    const bool asked = scheduler.Ask([promise, id](const State& state) {
      const auto run = state.runs.find(id);
      if (run == state.runs.end()) {
        promise->set_value(absl::NotFoundError("the run has ended"));
      } else {
        promise->set_value(LiveRun{run->second.name, run->second.plan});
      }
    });
    if (!asked) return absl::UnavailableError("the server is stopping");
    try {
      return answer.get();
    } catch (const std::future_error&) {
      return absl::UnavailableError("the server is stopping");
    }
  };
}

PlanLoader PlansOf(Reader& reader) {
  return [&reader](const Digest& digest) -> absl::StatusOr<std::shared_ptr<const Plan>> {
    POTOK_ASSIGN_OR_RETURN(const std::string spec, reader.GetSpec(digest));
    return PlanOfStoredSpec(spec);
  };
}

void SayVersion(prometheus::Registry& registry) {
  prometheus::BuildGauge()
      .Name("potok_build_info")
      .Help("Constant 1; what is running.")
      .Register(registry)
      .Add({{"component", "server"}, {"version", POTOK_VERSION}})
      .Set(1);
}

// The gRPC side.
struct Services {
  std::unique_ptr<RunsService> runs;
  std::unique_ptr<MachinesService> machines;
  std::unique_ptr<AgentsService> agents;
  std::unique_ptr<AdminService> admin;
  std::unique_ptr<ArtifactsService> artifacts;
  std::unique_ptr<RegistryService> registry;
  std::unique_ptr<MetricsService> metrics;
  std::vector<std::unique_ptr<grpc::Service>> storage;
};

Services MakeStorageServices(const ServerConfig& config, BlobStore& blobs) {
  Services services;
  services.artifacts = std::make_unique<ArtifactsService>(config.artifacts);
  if (config.artifacts.empty()) services.storage = MakeBlobServices(blobs);
  return services;
}

WebOptions WebOptionsOf(const ServerConfig& config) {
  WebOptions web;
  web.bytes_max = *ParseBytes(config.http_bytes_max);
  web.proxy = config.http_proxy;
  web.ca_file = config.http_ca_file;
  web.local_sources = config.http_local_sources;
  return web;
}

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
  builder.RegisterService(services.agents.get());
  builder.RegisterService(services.admin.get());
  builder.RegisterService(services.artifacts.get());
  builder.RegisterService(services.registry.get());
  builder.RegisterService(services.metrics.get());
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

// The ports of HTTP, open before agents can connect, since orders tell their addresses.
struct HttpPorts {
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<TrackingPort> tracking;  // may be none
};

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
               std::shared_ptr<prometheus::Registry> registry,
               Scheduler& scheduler,
               grpc::Server& api,
               Access& access,
               const TrackingSources& tracking,
               HttpServer& http) {
  HttpSources sources;
  sources.tracking = tracking;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // the services have their own limits
  sources.api = api.InProcessChannel(arguments);
  sources.access = &access;
  sources.metrics = [registry = std::move(registry)] {
    std::vector<prometheus::MetricFamily> families = registry->Collect();
    for (prometheus::MetricFamily& family : ProcessMetrics().Collect())
      families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
  };
  sources.healthy = [] { return absl::OkStatus(); };
  sources.ready = [&scheduler]() -> absl::Status {
    if (!scheduler.started()) return absl::UnavailableError("the scheduler is starting");
    if (!scheduler.MaySpeak()) return absl::UnavailableError("the database does not answer");
    return absl::OkStatus();
  };
  http.Serve(std::move(sources));
  const std::string path = config.home + "/http.address";
  std::ofstream(path + ".tmp") << http.address() << "\n";
  std::filesystem::rename(path + ".tmp", path);
}

// What listens. When `started` is an error the rest may be there all the same, and is closed.
struct Front {
  absl::Status started;
  std::unique_ptr<grpc::Server> grpc;
  HttpPorts http;
};

Front OpenFront(const ServerConfig& config,
                const Services& services,
                std::shared_ptr<prometheus::Registry> registry,
                Scheduler& scheduler,
                Access& access,
                const TrackingSources& tracking,
                StepTracking& offered) {
  Front front;
  auto http = OpenHttpPorts(config, tracking, offered);
  if (!http.ok()) {
    front.started = http.status();
    return front;
  }
  front.http = *std::move(http);
  auto grpc = Listen(config, services);
  if (!grpc.ok()) {
    front.started = grpc.status();
    return front;
  }
  front.grpc = *std::move(grpc);
  ServeHttp(
      config, std::move(registry), scheduler, *front.grpc, access, tracking, *front.http.http);
  services.admin->SetHttpAddress(front.http.http->address());
  return front;
}

// The loop has a thread of its own; the calling one is to wait for the signal, which the loop sends
// when it has to step down. `outcome` is the loop's until it is joined.
std::thread StartLoop(Scheduler& scheduler, absl::Status& outcome) {
  return std::thread([&scheduler, &outcome, waiting = pthread_self()] {
    NameThread("scheduler");
    outcome = scheduler.Run();
    if (outcome.ok()) return;
    // It ends no thread: all block it, and one waits for it.
    pthread_kill(waiting, SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread): see above
  });
}

void ServeUntilStopped(const ServerConfig& config, const Front& front) {
  spdlog::info("server ready listen={} http={} home={}",
               config.listen,
               front.http.http->address(),
               config.home);
  if (front.http.tracking != nullptr) {
    spdlog::info("steps log without TLS address={}", front.http.tracking->address());
  }
  WaitForStopSignal();
  spdlog::info("server stopping");
}

// Whoever waits for something is told, and nobody new is let in.
void EndCalls(const Front& front, Replies& replies, WatchHub& watches, Switchboard& switchboard) {
  const absl::Status stopping =
      absl::UnavailableError("the server is stopping; it will be back, try again");
  replies.Close(stopping);
  watches.EndAll(stopping);
  switchboard.CloseAll(stopping);
  if (front.grpc == nullptr) return;
  front.grpc->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kDrainTime));
}

// PostgreSQL is left to whoever took over from this server, if somebody did.
void CloseStorage(Storage& storage, const absl::Status& outcome) {
  storage.bundle = StoreBundle{};
  storage.watch.reset();
  if (storage.postgres == nullptr || outcome.code() == absl::StatusCode::kFailedPrecondition) {
    return;
  }
  if (const absl::Status stopped = storage.postgres->Stop(); !stopped.ok()) {
    spdlog::error("stopping PostgreSQL failed: {}", stopped.ToString());
  }
}

}  // namespace

absl::Status RunServer(const ServerConfig& config) {
  POTOK_RETURN_IF_ERROR(MakeHome(config));
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                         Access::Open(config.home + "/http.token"));
  POTOK_ASSIGN_OR_RETURN(Storage storage, OpenStorage(config));
  Reader& reader = *storage.bundle.reader;
  Projector& projector = *storage.bundle.projector;

  const RealClock clock;
  auto registry = std::make_shared<prometheus::Registry>();
  SayVersion(*registry);
  SchedulerMetrics metrics(*registry);
  Replies replies;
  WatchHub watches(projector, kWatchThreads);
  const StepTokens step_tokens(access->SecretFor("the tokens of steps"));
  StepTracking step_tracking(step_tokens);
  TrialMetrics trials;
  Switchboard switchboard(replies, watches, *storage.logs, step_tracking, trials);
  const SchedulerOptions options = SchedulerOptionsOf(config);
  Scheduler scheduler(*storage.bundle.store, projector, switchboard, clock, metrics, options);
  RunView view(reader, *storage.logs, switchboard, scheduler, options.decide);
  RunOutputs run_outputs(view, *storage.artifacts);
  const FindRunOutput find_output = [&run_outputs](const std::string& uri) {
    return run_outputs.Find(uri);
  };
  Registry assets(
      *storage.bundle.assets, *storage.artifacts, *storage.datastores, find_output, clock);
  POTOK_RETURN_IF_ERROR(assets.AdoptDatastores());
  OutputAssets output_assets(assets, reader);
  const Completion completion(
      *storage.artifacts, *storage.datastores, output_assets, LiveRunsOf(scheduler));
  const ResultLookup results(reader, projector, *storage.artifacts, completion);
  switchboard.Attach(scheduler, completion, results);
  POTOK_RETURN_IF_ERROR(scheduler.Start(PlansOf(reader)));

  SubmissionOptions submission_options;
  submission_options.decide = options.decide;
  submission_options.web = WebOptionsOf(config);
  Submission submission(*storage.artifacts,
                        *storage.datastores,
                        find_output,
                        reader,
                        projector,
                        scheduler,
                        replies,
                        std::move(submission_options));
  WorkerPool log_readers("logs", kLogThreads);
  Explanations explanations(view, submission, *storage.artifacts);
  const LogStreamContext streams{view, watches, *storage.logs, projector, log_readers};
  Services services = MakeStorageServices(config, *storage.blobs);
  services.runs =
      std::make_unique<RunsService>(submission, scheduler, replies, explanations, streams);
  services.machines = std::make_unique<MachinesService>(scheduler);
  services.agents = std::make_unique<AgentsService>(switchboard, *storage.logs);
  services.registry = std::make_unique<RegistryService>(assets, *storage.datastores, find_output);
  Collector collector(CollectorPartsOf(config, storage, scheduler));
  services.admin = std::make_unique<AdminService>(
      [&access] { return access->MakeCode(absl::Now()); }, Access::kLinkLife, collector);

  services.metrics =
      std::make_unique<MetricsService>(*storage.tracking, view, projector, scheduler);
  TrackingWriter tracking_writer(*storage.tracking, [&scheduler](const LoggedMetric& logged) {
    scheduler.PostAlways(MetricReported{logged.attempt, logged.count, logged.value});
  });
  trials.Attach(tracking_writer);
  const MlflowApi mlflow(*storage.tracking, tracking_writer);
  LoggedFiles logged_files(*storage.tracking, *storage.artifacts, config.home + "/outgoing");
  const TrackingSources tracking{&mlflow, &logged_files, &step_tokens};

  absl::Status outcome;
  std::thread loop = StartLoop(scheduler, outcome);
  Front front = OpenFront(config, services, registry, scheduler, *access, tracking, step_tracking);
  if (front.started.ok()) ServeUntilStopped(config, front);
  EndCalls(front, replies, watches, switchboard);
  scheduler.Stop();
  loop.join();
  front.http = HttpPorts();
  tracking_writer.Stop();
  log_readers.Stop();
  watches.Close();
  if (front.grpc != nullptr) front.grpc->Wait();
  // What is committed is projected at the next start too; this only spares it the work.
  projector.WaitFor(scheduler.committed_revision(), absl::Seconds(5), Haste::kNow).IgnoreError();
  CloseStorage(storage, outcome);
  spdlog::info("server stopped");
  return front.started.ok() ? outcome : front.started;
}

}  // namespace potok::server
