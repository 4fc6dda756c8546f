// potok-agent: flags, logs, signals; then agent.cc.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "agent/agent.h"
#include "agent/resources/own_address.h"
#include "common/runtime/flags.h"
#include "common/runtime/logging.h"
#include "common/runtime/signals.h"
#include "fmt/format.h"

ABSL_FLAG(std::string, server, "", "Address of potok-server, unix:/PATH or HOST:PORT. Needed.");
ABSL_FLAG(std::string,
          artifacts,
          "",
          "Address of the content-addressed store, grpc://HOST:PORT. Default: the server.");
ABSL_FLAG(std::string,
          name,
          "",
          "The machine's name, unique in the cluster. Default: the host's name.");
ABSL_FLAG(std::string,
          state,
          "",
          "Folder of this agent alone: attempts, cache, identity. Keep it over restarts. Default: "
          "/var/lib/potok/agent for root, else ~/.local/state/potok/agent.");
ABSL_FLAG(std::string, memory, "", "Memory to offer, such as 64GiB. Default: all there is.");
ABSL_FLAG(std::string, cpus, "", "CPUs to offer, such as 8 or 500m. Default: all there are.");
ABSL_FLAG(std::string, gpus, "", "How many GPUs to offer, the first ones. Default: all there are.");
ABSL_FLAG(
    std::vector<std::string>,
    gpu,
    {},
    "A GPU to offer, as model=A100,memory=40GiB; may be given several times. Instead of those "
    "that NVIDIA's library finds: for devices that it does not know, and to try things out. "
    "Their indices (CUDA_VISIBLE_DEVICES of steps) count from 0, or are given by index=N.");
ABSL_FLAG(
    std::string,
    disk,
    "",
    "Disk to offer to steps, such as 500GiB. Default: 95 % of what is free at the start where "
    "--state is.");
ABSL_FLAG(std::vector<std::string>,
          resource,
          {},
          "NAME=COUNT of something that steps hold, such as fpga=2 or a number of licences; may be "
          "given several times, or separated by commas.");
ABSL_FLAG(std::vector<std::string>,
          label,
          {},
          "NAME=VALUE that steps can ask for; may be given several times, or separated by commas.");
ABSL_FLAG(
    std::vector<std::string>,
    pool,
    {},
    "Pools that the machine belongs to (`compute:`); may be given several times, or separated "
    "by commas.");
ABSL_FLAG(std::string,
          cache_bytes,
          "50GiB",
          "Disk for inputs and large outputs that steps share; the least recently used goes first. "
          "0: no limit.");
ABSL_FLAG(
    std::string,
    log_bytes,
    "1GiB",
    "What is kept of the log of an attempt, from its beginning; a line says where it was cut, "
    "and its last MiB is kept too.");
ABSL_FLAG(int, transfer_threads, 4, "How many attempts may move files at the same time.");
ABSL_FLAG(
    std::string,
    step_path,
    "",
    "PATH of steps, which inherit nothing of the agent's environment. Default: the system's.");
ABSL_FLAG(std::string,
          isolation,
          "none",
          "sandbox: every step that runs on this machine itself runs in a sandbox (bubblewrap), as "
          "those with `isolation: sandbox` do. none: only those.");
ABSL_FLAG(std::vector<std::string>,
          sandbox_reads,
          {},
          "Folders that sandboxes may read beside the system's; may be given several times, or "
          "separated by commas.");
ABSL_FLAG(std::string,
          step_processes,
          "",
          "How many processes and threads a step may have at a time; 0: any number. Default: 16384 "
          "with cgroup v2, else any number.");
ABSL_FLAG(std::string,
          images,
          "host",
          "container: steps whose environment has an image run in it (podman or docker). host: on "
          "this machine itself, with what it has.");
ABSL_FLAG(std::string,
          container_engine,
          "",
          "The program podman or docker, or one that takes its arguments. Default: podman, "
          "or else docker.");
ABSL_FLAG(std::string,
          container_network,
          "host",
          "Network of containers: host, bridge, none, or the name of one. A step with `network: "
          "none` has none in any case.");
ABSL_FLAG(std::string,
          python_environments,
          "host",
          "build: the packages of an environment's conda_file are installed on this machine, once, "
          "with its pip or conda. host: steps run with the Python that it has.");
ABSL_FLAG(std::string,
          python_bytes,
          "20GiB",
          "Disk for Python environments; the least recently used goes first. 0: no limit.");
ABSL_FLAG(std::string,
          on_stop,
          "leave",
          "What SIGTERM means for running steps. leave: they go on, and the next agent on this "
          "state folder takes them up. kill: they are ended, and run again elsewhere.");
ABSL_FLAG(std::string,
          exec,
          "allow",
          "allow: who submitted a run may run commands, as a shell, beside its steps (potok job "
          "exec), as the user that runs them and within their limits. deny: nobody may.");
ABSL_FLAG(std::string, log_level, "info", "trace, debug, info, warn or error.");

namespace {

constexpr char kUsage[] =
    "Runs the steps that a potok-server assigns to this machine.\n\n"
    "  potok-agent --server=unix:/run/potok/server.sock\n"
    "  potok-agent --server=10.0.0.1:8470 --pool=gpu-cluster --label=disk=nvme --memory=200GiB\n"
    "  potok-agent --flagfile=/etc/potok/agent.flags\n\n"
    "Steps survive the agent: stop it, upgrade it, start it on the same --state, and it goes on "
    "with what runs.\nSIGTERM ends the agent (see --on_stop), a second one at once.\n"
    "`potok up` starts a server and an agent for this user.";

std::string DefaultState() {
  if (geteuid() == 0) return "/var/lib/potok/agent";
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.local/state/potok/agent";
}

// What podman, docker, pip and conda read of the agent's environment.
std::map<std::string, std::string> ToolsEnvironment() {
  const std::vector<std::string> kNames = {"PATH=",
                                           "HOME=",
                                           "USER=",
                                           "LANG=",
                                           "XDG_RUNTIME_DIR=",
                                           "DBUS_SESSION_BUS_ADDRESS=",
                                           "http_proxy=",
                                           "HTTP_PROXY=",
                                           "https_proxy=",
                                           "HTTPS_PROXY=",
                                           "no_proxy=",
                                           "NO_PROXY=",
                                           "SSL_CERT_FILE=",
                                           "REQUESTS_CA_BUNDLE=",
                                           "REGISTRY_AUTH_FILE="};
  const std::vector<std::string> kFamilies = {"CONTAINERS_", "DOCKER_", "PIP_", "CONDA_", "MAMBA_"};
  std::map<std::string, std::string> kept;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at;
    const auto begins = [&](const std::string& with) { return variable.starts_with(with); };
    if (!std::ranges::any_of(kNames, begins) && !std::ranges::any_of(kFamilies, begins)) continue;
    const std::size_t equals = variable.find('=');
    if (equals != std::string::npos) kept[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return kept;
}

potok::agent::AgentFlags ReadFlags() {
  potok::agent::AgentFlags flags;
  flags.server = absl::GetFlag(FLAGS_server);
  flags.artifacts = absl::GetFlag(FLAGS_artifacts);
  flags.name = absl::GetFlag(FLAGS_name);
  flags.state = absl::GetFlag(FLAGS_state);
  if (flags.state.empty()) flags.state = DefaultState();
  flags.memory = absl::GetFlag(FLAGS_memory);
  flags.cpus = absl::GetFlag(FLAGS_cpus);
  flags.gpus = absl::GetFlag(FLAGS_gpus);
  flags.gpu = absl::GetFlag(FLAGS_gpu);
  flags.disk = absl::GetFlag(FLAGS_disk);
  flags.resources = absl::GetFlag(FLAGS_resource);
  flags.labels = absl::GetFlag(FLAGS_label);
  flags.pools = absl::GetFlag(FLAGS_pool);
  flags.cache_bytes = absl::GetFlag(FLAGS_cache_bytes);
  flags.log_bytes = absl::GetFlag(FLAGS_log_bytes);
  flags.transfer_threads = absl::GetFlag(FLAGS_transfer_threads);
  flags.step_path = absl::GetFlag(FLAGS_step_path);
  flags.isolation = absl::GetFlag(FLAGS_isolation);
  flags.sandbox_reads = absl::GetFlag(FLAGS_sandbox_reads);
  flags.step_processes = absl::GetFlag(FLAGS_step_processes);
  flags.images = absl::GetFlag(FLAGS_images);
  flags.container_engine = absl::GetFlag(FLAGS_container_engine);
  flags.container_network = absl::GetFlag(FLAGS_container_network);
  flags.python_environments = absl::GetFlag(FLAGS_python_environments);
  flags.python_bytes = absl::GetFlag(FLAGS_python_bytes);
  flags.tools_environment = ToolsEnvironment();
  flags.exec = absl::GetFlag(FLAGS_exec);
  flags.on_stop = absl::GetFlag(FLAGS_on_stop);
  flags.log_level = absl::GetFlag(FLAGS_log_level);
  return flags;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "potok-agent: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(kUsage);
  absl::FlagsUsageConfig usage;
  usage.version_string = [] { return std::string("potok-agent " POTOK_VERSION "\n"); };
  absl::SetFlagsUsageConfig(usage);
  std::vector<std::string> arguments;
  std::vector<char*> flags = potok::FlagArguments(
      {argv, argv + argc}, {"label", "pool", "gpu", "resource", "sandbox_reads"}, arguments);
  absl::ParseCommandLine(static_cast<int>(arguments.size()), flags.data());

  absl::StatusOr<potok::agent::AgentConfig> config = potok::agent::ConfigOf(ReadFlags());
  if (!config.ok()) {
    std::fprintf(stderr,
                 "potok-agent: wrong flags:\n%s\nSee potok-agent --help.\n",
                 std::string(config.status().message()).c_str());
    return 2;
  }
  if (const absl::Status logging = potok::InitLogging(config->log_level); !logging.ok()) {
    return Fail(logging);
  }
  potok::BlockStopSignals();
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path programs = self.parent_path();
  potok::agent::MachineFacts facts = potok::agent::ProbeMachine();
  std::filesystem::create_directories(config->state, error);
  facts.labels["address"] = potok::agent::OwnAddress(config->server);
  facts.capacity.disk_bytes = potok::agent::DiskToOffer(config->state);
  const potok::agent::AgentFiles files{programs / "potok-shim",
                                       programs / "potok-enter",
                                       programs.parent_path() / "share/potok/python"};
  return Fail(potok::agent::RunAgent(*config, facts, files));
}
