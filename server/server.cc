#include "server/server.h"

#include <prometheus/registry.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/age.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "common/runtime/real_clock.h"
#include "common/runtime/signals.h"
#include "fmt/format.h"
#include "server/front.h"
#include "server/notify/notifier.h"
#include "server/retention/collector.h"
#include "server/rpc/cas/blob_services.h"
#include "server/rpc/output_assets.h"
#include "server/rpc/run_ending.h"
#include "server/rpc/run_outputs.h"
#include "server/storage.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_api.h"
#include "server/tracking/tracking_writer.h"

namespace potok::server {

namespace {

constexpr int kWatchThreads = 2;
constexpr int kLogThreads = 4;
constexpr absl::Duration kDrainTime = absl::Seconds(5);
constexpr absl::Duration kSettleTime = absl::Minutes(2);

SchedulerOptions SchedulerOptionsOf(const ServerConfig& config) {
  SchedulerOptions options;
  options.decide.lease = config.lease;
  options.decide.lease_grace = config.lease_grace;
  options.decide.silent_after = config.silent_after;
  options.decide.unknown_pool_is_default = config.unknown_pool_is_default;
  options.decide.forced_results_offered = config.forced_results_offered;
  options.decide.pending_runs_max = config.pending_runs_per_user;
  return options;
}

// What `storage` and `scheduler` know of what is kept; both outlive it.
Collector::Parts CollectorPartsOf(const ServerConfig& config,
                                  Storage& storage,
                                  Scheduler& scheduler) {
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

WebOptions WebOptionsOf(const ServerConfig& config) {
  WebOptions web;
  web.bytes_max = *ParseBytes(config.http_bytes_max);
  web.proxy = config.http_proxy;
  web.ca_file = config.http_ca_file;
  web.local_sources = config.http_local_sources;
  return web;
}

absl::StatusOr<NotifierOptions> NotifierOptionsOf(const ServerConfig& config) {
  NotifierOptions options;
  options.web = WebOptionsOf(config);
  if (!config.notify_url.empty()) {
    options.standing.push_back({ReceiverKind::kServerWebhook, config.notify_url});
  }
  if (!config.notify_command.empty()) {
    options.standing.push_back({ReceiverKind::kCommand, config.notify_command});
  }
  if (config.notify_secret_file.empty()) return options;
  std::ifstream file(config.notify_secret_file, std::ios::binary);
  options.secret = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  absl::StripTrailingAsciiWhitespace(&options.secret);
  if (!options.secret.empty()) return options;
  return absl::FailedPreconditionError(
      fmt::format("--notify_secret_file={}: it has no secret in it", config.notify_secret_file));
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

SubmissionOptions SubmissionOptionsOf(const ServerConfig& config) {
  SubmissionOptions options;
  options.decide = SchedulerOptionsOf(config).decide;
  options.web = WebOptionsOf(config);
  return options;
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
void EndCalls(const Front& front,
              Replies& replies,
              WatchHub& watches,
              ExecCalls& execs,
              Switchboard& switchboard) {
  const absl::Status stopping =
      absl::UnavailableError("the server is stopping; it will be back, try again");
  replies.Close(stopping);
  watches.EndAll(stopping);
  execs.CloseAll(stopping);
  switchboard.CloseAll(stopping);
  if (front.grpc == nullptr) return;
  front.grpc->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kDrainTime));
}

// What decides, and what it says and hears. In the order in which it is made.
struct Core {
  const ServerConfig& config;
  Storage& storage;
  Access& access;

  Reader& reader = *storage.bundle.reader;
  Projector& projector = *storage.bundle.projector;
  RealClock clock = {};
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  SchedulerMetrics metrics{*registry};
  Replies replies = {};
  WatchHub watches{projector, kWatchThreads};
  StepTokens step_tokens{access.SecretFor("the tokens of steps")};
  StepTracking step_tracking{step_tokens};
  TrialMetrics trials = {};
  Switchboard switchboard{replies, watches, *storage.logs, step_tracking, trials};
  SchedulerOptions options = SchedulerOptionsOf(config);
  Scheduler scheduler{*storage.bundle.store, projector, switchboard, clock, metrics, options};
  RunView view{
      reader, *storage.logs, switchboard, scheduler, options.decide, [&blobs = *storage.blobs] {
        return blobs.WhyFull();
      }};
  RunOutputs run_outputs{view, *storage.artifacts};
  FindRunOutput find_output = [this](const std::string& uri) { return run_outputs.Find(uri); };
  Registry assets{
      *storage.bundle.assets, *storage.artifacts, *storage.datastores, find_output, clock};
  OutputAssets output_assets{assets, reader};
  Completion completion{
      *storage.artifacts, *storage.datastores, output_assets, LiveRunsOf(scheduler)};
  ResultLookup results{reader, projector, *storage.artifacts, completion};
};

absl::Status Start(Core& core) {
  SayVersion(*core.registry);
  POTOK_RETURN_IF_ERROR(core.assets.AdoptDatastores());
  core.switchboard.Attach(core.scheduler, core.completion, core.results);
  return core.scheduler.Start(PlansOf(core.reader));
}

// What serves users and steps.
struct Api {
  Core& core;

  Storage& storage = core.storage;
  Submission submission{*storage.artifacts,
                        *storage.datastores,
                        core.find_output,
                        core.reader,
                        core.projector,
                        core.scheduler,
                        core.replies,
                        SubmissionOptionsOf(core.config)};
  WorkerPool log_readers{"logs", kLogThreads};
  Explanations explanations{core.view, submission, *storage.artifacts};
  ExecCalls execs{{core.view, core.projector, core.scheduler, core.switchboard, log_readers}};
  LogStreamContext streams{core.view, core.watches, *storage.logs, core.projector, log_readers};
  Collector collector{CollectorPartsOf(core.config, storage, core.scheduler)};
  TrackingWriter tracking_writer{
      *storage.tracking, [&scheduler = core.scheduler](const LoggedMetric& logged) {
        scheduler.PostAlways(MetricReported{logged.attempt, logged.count, logged.value});
      }};
  MlflowApi mlflow{*storage.tracking, tracking_writer};
  LoggedFiles logged_files{*storage.tracking, *storage.artifacts, core.config.home + "/outgoing"};
  TrackingSources tracking{&mlflow, &logged_files, &core.step_tokens};
};

Services ServicesOf(Core& core, Api& api) {
  Services services;
  services.runs = std::make_unique<RunsService>(
      api.submission, core.scheduler, core.replies, api.explanations, api.execs, api.streams);
  services.machines = std::make_unique<MachinesService>(
      core.scheduler, core.replies, core.switchboard, core.options.decide);
  services.pools =
      std::make_unique<PoolsService>(core.scheduler, core.replies, core.options.decide);
  services.teams = std::make_unique<TeamsService>(core.scheduler, core.replies);
  services.agents =
      std::make_unique<AgentsService>(core.switchboard, *core.storage.logs, api.execs);
  services.registry =
      std::make_unique<RegistryService>(core.assets, *core.storage.datastores, core.find_output);
  services.admin = std::make_unique<AdminService>(
      [&access = core.access] { return access.MakeCode(absl::Now()); },
      Access::kLinkLife,
      api.collector);
  services.metrics = std::make_unique<MetricsService>(
      *core.storage.tracking, core.view, core.projector, core.scheduler);
  services.notifications =
      std::make_unique<NotificationsService>(core.reader, *core.storage.notifications);
  services.artifacts = std::make_unique<ArtifactsService>(core.config.artifacts);
  if (core.config.artifacts.empty()) services.storage = MakeBlobServices(*core.storage.blobs);
  return services;
}

}  // namespace

absl::Status RunServer(const ServerConfig& config) {
  POTOK_ASSIGN_OR_RETURN(Storage storage, OpenStorage(config));
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                         Access::Open(config.home + "/http.token"));
  POTOK_ASSIGN_OR_RETURN(NotifierOptions notifying, NotifierOptionsOf(config));
  Core core{config, storage, *access};
  POTOK_RETURN_IF_ERROR(Start(core));
  Api api{core};
  core.trials.Attach(api.tracking_writer);
  const Services services = ServicesOf(core, api);
  Notifier notifier(
      *storage.notifications,
      [&core](RunId run) { return EndingOf(core.view, run); },
      std::move(notifying),
      *core.registry);
  POTOK_RETURN_IF_ERROR(notifier.Start());

  absl::Status outcome;
  std::thread loop = StartLoop(core.scheduler, outcome);
  const FrontParts parts{services, core.registry, core.scheduler, *access, api.tracking};
  Front front = OpenFront(config, parts, core.step_tracking);
  if (front.started.ok()) ServeUntilStopped(config, front);
  EndCalls(front, core.replies, core.watches, api.execs, core.switchboard);
  core.scheduler.Stop();
  loop.join();
  front.http = HttpPorts();
  notifier.Stop();
  api.tracking_writer.Stop();
  api.log_readers.Stop();
  core.watches.Close();
  if (front.grpc != nullptr) front.grpc->Wait();
  // What is committed is projected at the next start too; this only spares it the work.
  core.projector.WaitFor(core.scheduler.committed_revision(), absl::Seconds(5), Haste::kNow)
      .IgnoreError();
  CloseStorage(storage, outcome);
  spdlog::info("server stopped");
  return front.started.ok() ? outcome : front.started;
}

}  // namespace potok::server
