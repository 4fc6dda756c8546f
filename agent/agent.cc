#include "agent/agent.h"

#include <pwd.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/str_split.h"
#include "agent/artifacts/pool_transfers.h"
#include "agent/exec/exec_sessions.h"
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
#include "fmt/ranges.h"

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
                            const std::string& isolation,
                            const Runtimes& runtimes) {
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
  self.runtimes = runtimes.Names();
  self.cache_bytes = config.cache_bytes;
  self.allows_exec = config.allows_exec;
  return self;
}

// What an earlier agent left of containers is removed: their attempts are gone.
absl::StatusOr<std::shared_ptr<Images>> ImagesOf(const AgentConfig& config,
                                                 const AttemptFolders& folders) {
  absl::StatusOr<ContainerEngine> engine =
      LookForEngine(config.container_engine, config.tools_environment);
  if (!engine.ok()) {
    spdlog::error("images cannot be run reason=\"{}\"", std::string(engine.status().message()));
    return engine.status();
  }
  engine->owner = folders.state_id();
  engine->network = config.container_network;
  if (!engine->has_init) {
    spdlog::warn(
        "containers get no init, as there is no catatonit: what does not handle SIGTERM "
        "by itself is ended by SIGKILL");
  }
  auto images = std::make_shared<Images>(*std::move(engine));
  images->RemoveAllBut(folders.Names());
  return images;
}

// What works here of the ways to run commands. FAILED_PRECONDITION if what the flags ask for does
// not.
absl::StatusOr<Runtimes> RuntimesOf(const AgentConfig& config,
                                    const StepSurroundings& surroundings,
                                    const AttemptFolders& folders) {
  Runtimes runtimes(config.runtimes);
  std::vector<std::string> readable = absl::StrSplit(surroundings.path, ':', absl::SkipEmpty());
  readable.insert(readable.end(), config.sandbox_reads.begin(), config.sandbox_reads.end());
  for (const std::string& folder : {surroundings.python, surroundings.mlflow_standin}) {
    if (!folder.empty()) readable.push_back(folder);
  }
  absl::StatusOr<SandboxView> sandbox = LookForSandbox(surroundings.home, readable, config.state);
  if (sandbox.ok()) {
    if (const absl::Status works = TrySandbox(*sandbox); !works.ok()) sandbox = works;
  }
  if (!sandbox.ok()) {
    const std::string why(sandbox.status().message());
    if (config.runtimes.sandbox_always) {
      return absl::FailedPreconditionError("--isolation=sandbox cannot be had: " + why);
    }
    spdlog::info("no sandboxes reason=\"{}\"", why);
  }
  runtimes.UseSandbox(std::move(sandbox));
  if (config.runtimes.python_is_built) {
    runtimes.UsePython(std::make_shared<PythonEnvironments>(
        PythonOptions{.folder = config.state + "/environments",
                      .attempts = config.state + "/attempts",
                      .bytes_max = config.python_bytes,
                      .environment = config.tools_environment}));
  }
  if (config.runtimes.images_in_containers) {
    runtimes.UseImages(ImagesOf(config, folders));
  }
  return runtimes;
}

// `runtimes` outlives the transfers.
void PrepareBy(const Runtimes& runtimes, PoolTransfers::Options* options) {
  options->needs_preparing = [&runtimes](const AttemptOrder& order) {
    return runtimes.Choose(order).NeedsPreparing();
  };
  options->prepare = [&runtimes](const AttemptOrder& order,
                                 const AttemptPaths& paths,
                                 const std::function<bool()>& canceled) {
    return runtimes.Prepare(order, paths, canceled);
  };
  options->before_removal = [&runtimes](const AttemptPaths& paths) {
    std::string shown;
    std::getline(std::ifstream(paths.runtime()), shown);
    runtimes.Forget(std::filesystem::path(paths.folder).filename(), shown);
  };
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
  spdlog::info(
      "agent starts machine={} server={} state={} isolation={} runtimes={} capacity=\"{}\" "
      "version={}",
      self.machine,
      config.server,
      config.state,
      self.isolation,
      fmt::join(self.runtimes, ","),
      ToString(self.capacity),
      self.agent_version);
  if (config.runtimes.sandbox_always) spdlog::info("all steps run in sandboxes");
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
  POTOK_ASSIGN_OR_RETURN(const Runtimes runtimes, RuntimesOf(config, surroundings, *folders));
  const Introduction self = IntroductionOf(
      config, Offer(config, facts), folders->state_id(), executor->isolation(), runtimes);
  SayWhatThisIs(self, config, facts, executor->NotEnforced());
  const std::unique_ptr<NvmlMeter> gpu_meter = MeterOf(facts);

  // Bulk does not share a connection with heartbeats: each has its own channel.
  Inbox inbox;
  CasClient store(MakeChannel(config.artifacts));
  PoolTransfers::Options transfer_options;
  transfer_options.threads = config.transfer_threads;
  if (config.runtimes.images_in_containers || config.runtimes.python_is_built) {
    PrepareBy(runtimes, &transfer_options);
  }
  PoolTransfers transfers(
      store, cache.get(), transfer_options, [&inbox](const AttemptKey& key, AttemptEvent event) {
        inbox.Post(AttemptNews{key, std::move(event)});
      });
  LogShipper logs(MakeChannel(config.server), config.log_limit, [&inbox](const AttemptKey& key) {
    inbox.Post(AttemptNews{key, LogStored{}});
  });
  GrpcLink link(MakeChannel(config.server),
                [&inbox](LinkNews news) { inbox.Post(std::move(news)); });
  ExecSessions execs(MakeChannel(config.server), {files.enter, self.machine});
  AttemptTable attempts({*executor, transfers, logs, *folders, runtimes, gpu_meter.get(), &execs},
                        surroundings,
                        FindProgramInPath);
  attempts.TakeUp();
  AgentLoop::Options loop_options;
  loop_options.on_stop = config.on_stop;
  loop_options.processors = static_cast<int>(std::thread::hardware_concurrency());
  loop_options.jitter_seed = std::random_device{}();
  AgentLoop loop({attempts, *executor, link, &execs}, self, loop_options);
  Drive(loop, inbox, *executor);
  executor.reset();  // gives back the cgroups that are free
  spdlog::info("agent ended");
  spdlog::shutdown();
  std::_Exit(0);
}

}  // namespace potok::agent
