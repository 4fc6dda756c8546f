#include "agent/agent.h"

#include <pwd.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "absl/strings/str_split.h"
#include "agent/artifacts/pool_transfers.h"
#include "agent/executor/shim_executor.h"
#include "agent/link/grpc_link.h"
#include "agent/link/log_shipper.h"
#include "agent/loop/drive.h"
#include "agent/loop/find_program.h"
#include "agent/resources/nvml_meter.h"
#include "agent/runtime/runtimes.h"
#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// Whether the address is one that only this machine reaches.
bool IsHere(const std::string& address) {
  return address.rfind("unix:", 0) == 0 || address.rfind("127.", 0) == 0 ||
         address.rfind("localhost:", 0) == 0 || address.rfind("[::1]:", 0) == 0;
}

StepSurroundings SurroundingsOf(const AgentConfig& config,
                                const MachineFacts& facts,
                                const AgentFiles& files) {
  StepSurroundings surroundings;
  const passwd* user = getpwuid(getuid());
  surroundings.user = user != nullptr ? user->pw_name : std::to_string(getuid());
  surroundings.home = user != nullptr ? user->pw_dir : "/";
  if (!config.step_path.empty()) surroundings.path = config.step_path;
  // What the machine has, not what is offered: a step that asked for none must see none.
  surroundings.has_gpus = !facts.gpus.empty() || !config.declared_gpus.empty();
  surroundings.machine = config.name.empty() ? facts.hostname : config.name;
  surroundings.is_servers_machine = IsHere(config.server);
  std::error_code error;
  if (std::filesystem::exists(files.python + "/potok_parallel/__main__.py", error)) {
    surroundings.python = files.python;
  }
  const std::string standin = files.python + "/mlflow_standin";
  if (std::filesystem::exists(standin + "/mlflow/__init__.py", error)) {
    surroundings.mlflow_standin = standin;
  } else {
    spdlog::warn("steps without mlflow get no stand-in: there is none folder={}", standin);
  }
  return surroundings;
}

Introduction IntroductionOf(const AgentConfig& config,
                            const MachineFacts& offered,
                            const std::string& state_id,
                            const std::string& isolation) {
  Introduction self;
  self.machine = config.name.empty() ? offered.hostname : config.name;
  self.state_id = state_id;
  self.boot_id = offered.boot_id;
  self.agent_version = POTOK_VERSION;
  self.capacity = offered.capacity;
  for (const GpuDevice& gpu : offered.gpus) {
    self.gpus.push_back({gpu.index, gpu.model, gpu.memory_bytes, gpu.uuid});
  }
  self.labels = offered.labels;
  self.pools = config.pools;
  self.isolation = isolation;
  return self;
}

// FAILED_PRECONDITION if the sandbox that the flags ask for cannot be had.
absl::StatusOr<Runtimes> RuntimesOf(const AgentConfig& config,
                                    const StepSurroundings& surroundings) {
  if (!config.is_sandboxed) return Runtimes();
  std::vector<std::string> readable = absl::StrSplit(surroundings.path, ':', absl::SkipEmpty());
  readable.insert(readable.end(), config.sandbox_reads.begin(), config.sandbox_reads.end());
  for (const std::string& folder : {surroundings.python, surroundings.mlflow_standin}) {
    if (!folder.empty()) readable.push_back(folder);
  }
  absl::StatusOr<SandboxView> view = LookForSandbox(surroundings.home, readable, config.state);
  const absl::Status works = view.ok() ? TrySandbox(*view) : view.status();
  if (works.ok()) return Runtimes(*std::move(view));
  return absl::FailedPreconditionError(
      fmt::format("--isolation=sandbox cannot be had: {}", std::string(works.message())));
}

void SayWhatIsEnforced(const std::string& isolation, const std::vector<std::string>& lacks) {
  const bool has_cgroups = isolation != "none";
  if (has_cgroups) {
    spdlog::info("limits of steps are kept by the kernel: memory (without swap), CPUs isolation={}",
                 isolation);
  } else {
    spdlog::warn("no cgroups here, so that limits of steps are not kept by the kernel");
  }
  for (const std::string& what : lacks) spdlog::warn("not enforced: {}", what);
}

void SayWhatThisIs(const Introduction& self,
                   const AgentConfig& config,
                   const MachineFacts& facts,
                   const std::vector<std::string>& not_enforced) {
  spdlog::info("agent starts machine={} server={} state={} isolation={} capacity=\"{}\" version={}",
               self.machine,
               config.server,
               config.state,
               self.isolation,
               ToString(self.capacity),
               self.agent_version);
  if (config.is_sandboxed) spdlog::info("all steps run in sandboxes");
  SayWhatIsEnforced(self.isolation, not_enforced);
  for (const OfferedGpu& gpu : self.gpus) {
    spdlog::info(R"(gpu offered index={} model="{}" memory="{}" uuid={})",
                 gpu.index,
                 gpu.model,
                 FormatBytes(gpu.memory_bytes),
                 gpu.uuid);
  }
  if (!facts.gpu_note.empty() && self.gpus.empty())
    spdlog::info("no gpus reason=\"{}\"", facts.gpu_note);
}

// Null where there is nothing to read.
std::unique_ptr<NvmlMeter> MeterOf(const MachineFacts& facts) {
  if (facts.gpus.empty()) return nullptr;
  auto meter = NvmlMeter::Open("libnvidia-ml.so.1");
  if (meter.ok()) return *std::move(meter);
  spdlog::warn("use of GPUs is not measured error=\"{}\"", meter.status().ToString());
  return nullptr;
}

}  // namespace

absl::Status RunAgent(const AgentConfig& config,
                      const MachineFacts& facts,
                      const AgentFiles& files) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<AttemptFolders> folders,
                         AttemptFolders::Open(config.state, facts.boot_id));
  ShimExecutorOptions executor_options;
  executor_options.shim_path = files.shim;
  executor_options.state_folder = config.state;
  executor_options.processes_max = config.step_processes;
  POTOK_ASSIGN_OR_RETURN(std::unique_ptr<ShimExecutor> executor,
                         ShimExecutor::Open(executor_options));
  BlobStoreOptions cache_options;
  cache_options.root = config.state + "/cache";
  cache_options.durable = false;
  cache_options.bytes_max = config.cache_bytes;
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> cache,
                         BlobStore::Open(std::move(cache_options)));
  const StepSurroundings surroundings = SurroundingsOf(config, facts, files);
  POTOK_ASSIGN_OR_RETURN(const Runtimes runtimes, RuntimesOf(config, surroundings));
  const Introduction self =
      IntroductionOf(config, Offer(config, facts), folders->state_id(), executor->isolation());
  SayWhatThisIs(self, config, facts, executor->NotEnforced());
  const std::unique_ptr<NvmlMeter> gpu_meter = MeterOf(facts);

  // Bulk does not share a connection with heartbeats: each has its own channel.
  Inbox inbox;
  CasClient store(MakeChannel(config.artifacts));
  PoolTransfers::Options transfer_options;
  transfer_options.threads = config.transfer_threads;
  PoolTransfers transfers(
      store, cache.get(), transfer_options, [&inbox](const AttemptKey& key, AttemptEvent event) {
        inbox.Post(AttemptNews{key, std::move(event)});
      });
  LogShipper logs(MakeChannel(config.server), config.log_limit, [&inbox](const AttemptKey& key) {
    inbox.Post(AttemptNews{key, LogStored{}});
  });
  GrpcLink link(MakeChannel(config.server),
                [&inbox](LinkNews news) { inbox.Post(std::move(news)); });
  AttemptTable attempts({*executor, transfers, logs, *folders, runtimes, gpu_meter.get()},
                        surroundings,
                        FindProgramInPath);
  attempts.TakeUp();
  AgentLoop::Options loop_options;
  loop_options.on_stop = config.on_stop;
  loop_options.processors = static_cast<int>(std::thread::hardware_concurrency());
  loop_options.jitter_seed = std::random_device{}();
  AgentLoop loop({attempts, *executor, link}, self, loop_options);
  Drive(loop, inbox, *executor);
  executor.reset();  // gives back the cgroups that are free
  spdlog::info("agent ended");
  spdlog::shutdown();
  std::_Exit(0);
}

}  // namespace potok::agent
