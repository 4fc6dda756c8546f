#include "agent/config.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/numbers.h"
#include "common/base/machine_labels.h"
#include "common/base/resources.h"
#include "common/pipeline/gpu_model.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {
namespace {

// Collects what is wrong, so that everything is said at once.
class Problems {
 public:
  void Add(const std::string& flag, const std::string& value, const std::string& should_be) {
    lines_.push_back(fmt::format("--{}={}: {}", flag, value, should_be));
  }
  absl::Status AsStatus() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(fmt::format("{}", fmt::join(lines_, "\n")));
  }

 private:
  std::vector<std::string> lines_;
};

// The same rule as for pools and machines everywhere: a name that needs no quoting anywhere.
bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

void ReadAddresses(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  const std::string form = "must be HOST:PORT or unix:/PATH";
  const std::optional<std::string> server = ParseAddress(flags.server);
  if (!server) problems.Add("server", flags.server, form + ", the address of potok-server");
  config.server = server.value_or("");
  config.artifacts = config.server;
  if (flags.artifacts.empty()) return;
  const std::optional<std::string> artifacts = ParseAddress(flags.artifacts);
  if (!artifacts) problems.Add("artifacts", flags.artifacts, form);
  config.artifacts = artifacts.value_or("");
}

void ReadStepProcesses(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  if (flags.step_processes.empty()) return;
  // As many as Linux has numbers for (/proc/sys/kernel/pid_max).
  constexpr std::int64_t kMax = 1 << 22;
  std::int64_t processes = 0;
  if (absl::SimpleAtoi(flags.step_processes, &processes) && processes >= 0 && processes <= kMax) {
    config.step_processes = processes;
    return;
  }
  problems.Add("step_processes",
               flags.step_processes,
               fmt::format("must be a number of 1 to {}; 0: no limit", kMax));
}

void ReadAmounts(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  if (!flags.memory.empty()) {
    const absl::StatusOr<std::int64_t> memory = ParseBytes(flags.memory);
    if (memory.ok() && *memory > 0) {
      config.memory_bytes = *memory;
    } else {
      problems.Add("memory", flags.memory, "must be an amount such as 64GiB");
    }
  }
  if (!flags.cpus.empty()) {
    const absl::StatusOr<std::int32_t> cpus = ParseCpuMillis(flags.cpus);
    if (cpus.ok() && *cpus > 0) {
      config.cpu_millis = *cpus;
    } else {
      problems.Add("cpus", flags.cpus, "must be a number such as 8, 0.5 or 500m");
    }
  }
  if (!flags.disk.empty()) {
    const absl::StatusOr<std::int64_t> disk = ParseBytes(flags.disk);
    if (disk.ok()) {
      config.disk_bytes = *disk;
    } else {
      problems.Add("disk", flags.disk, "must be an amount such as 500GiB; 0: none");
    }
  }
  const absl::StatusOr<std::int64_t> cache = ParseBytes(flags.cache_bytes);
  if (cache.ok()) {
    config.cache_bytes = *cache;
  } else {
    problems.Add("cache_bytes", flags.cache_bytes, "must be an amount such as 50GiB; 0: no limit");
  }
  const absl::StatusOr<std::int64_t> log = ParseBytes(flags.log_bytes);
  if (log.ok() && *log > 0) {
    config.log_limit.head_bytes = *log;
    config.log_limit.end_bytes = std::min(config.log_limit.end_bytes, *log);
  } else {
    problems.Add("log_bytes", flags.log_bytes, "must be an amount such as 1GiB");
  }
}

std::optional<int> SmallNumber(const std::string& text) {
  int number = 0;
  if (text.empty() || text.size() > 4 || !absl::SimpleAtoi(text, &number) || number < 0) {
    return std::nullopt;
  }
  return number;
}

// One KEY=VALUE of --gpu; false if it is none, or comes before a model.
bool ReadGpuPart(const std::string& part, AgentConfig& config) {
  const std::size_t equals = std::min(part.find('='), part.size());
  const std::string key = part.substr(0, equals);
  const std::string value = equals == part.size() ? "" : part.substr(equals + 1);
  std::vector<DeclaredGpu>& gpus = config.declared_gpus;
  if (key == "model") {
    if (!IsGpuModel(value, value)) return false;
    gpus.push_back({value, 0, static_cast<int>(gpus.size())});
    return true;
  }
  if (gpus.empty()) return false;
  if (key == "index") {
    const std::optional<int> index = SmallNumber(value);
    gpus.back().index = index.value_or(0);
    return index.has_value();
  }
  const absl::StatusOr<std::int64_t> memory = ParseBytes(value);
  if (key != "memory" || !memory.ok()) return false;
  gpus.back().memory_bytes = *memory;
  return true;
}

void ReadGpus(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  if (!flags.gpus.empty()) {
    config.gpus = SmallNumber(flags.gpus);
    if (!config.gpus) {
      problems.Add("gpus", flags.gpus, "must be how many of the machine's GPUs to offer");
    }
  }
  for (const std::string& part : flags.gpu) {
    if (ReadGpuPart(part, config)) continue;
    problems.Add("gpu", part, "must be model=MODEL,memory=SIZE as in model=A100,memory=40GiB");
  }
  std::set<int> indices;
  for (const DeclaredGpu& gpu : config.declared_gpus) indices.insert(gpu.index);
  const std::string all = fmt::format("{}", fmt::join(flags.gpu, ","));
  if (indices.size() < config.declared_gpus.size()) {
    problems.Add("gpu", all, "two have the same index");
  }
  if (config.declared_gpus.size() > static_cast<std::size_t>(kGpusMax)) {
    problems.Add("gpu", all.substr(0, 40) + "...", fmt::format("more than {}", kGpusMax));
  }
  if (!flags.gpu.empty() && !flags.gpus.empty()) {
    problems.Add("gpus", flags.gpus, "say how many, or which by --gpu, and not both");
  }
}

void ReadNamed(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  for (const std::string& resource : flags.resources) {
    const std::size_t equals = std::min(resource.find('='), resource.size());
    std::int64_t count = 0;
    const bool counted = equals < resource.size() &&
                         absl::SimpleAtoi(resource.substr(equals + 1), &count) && count >= 1 &&
                         count <= kNamedMax;
    const std::string name = resource.substr(0, equals);
    if (!counted || !IsResourceName(name)) {
      problems.Add("resource",
                   resource,
                   "must be NAME=COUNT as in fpga=2; memory, cpus, gpus and disk have own flags");
    } else if (!config.named.emplace(name, count).second) {
      problems.Add("resource", resource, "is given twice");
    }
  }
  if (config.named.size() > kNamesMax) {
    problems.Add("resource", "...", fmt::format("more than {} names", kNamesMax));
  }
}

void ReadNames(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  config.name = flags.name;
  if (!flags.name.empty() && !IsName(flags.name)) {
    problems.Add("name", flags.name, "must be letters, digits, '.', '_' and '-'");
  }
  for (const std::string& label : flags.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || !IsName(label.substr(0, equals))) {
      problems.Add("label", label, "must be NAME=VALUE");
    } else {
      config.labels[label.substr(0, equals)] = label.substr(equals + 1);
    }
  }
  const absl::Status labels = CheckMachineLabels(config.labels);
  if (!labels.ok()) {
    const std::string shown = fmt::format("{} labels", config.labels.size());
    problems.Add("label", shown, std::string(labels.message()));
  }
  for (const std::string& pool : flags.pools) {
    if (!IsName(pool)) {
      problems.Add("pool", pool, "must be names of pools, separated by commas");
    } else {
      config.pools.push_back(pool);
    }
  }
}

void ReadRuntimes(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  config.runtimes.sandbox_always = flags.isolation == "sandbox";
  if (flags.isolation != "sandbox" && flags.isolation != "none") {
    problems.Add("isolation", flags.isolation, "must be sandbox or none");
  }
  for (const std::string& folder : flags.sandbox_reads) {
    if (folder.size() < 2 || folder[0] != '/') {
      problems.Add("sandbox_reads", folder, "must be absolute folders, separated by commas");
    } else {
      config.sandbox_reads.push_back(folder);
    }
  }
}

// "host", or the other word.
bool ReadChoice(const std::string& flag,
                const std::string& value,
                const std::string& other,
                Problems& problems) {
  if (value != "host" && value != other) problems.Add(flag, value, "must be host or " + other);
  return value == other;
}

void ReadTools(const AgentFlags& flags, AgentConfig& config, Problems& problems) {
  config.runtimes.images_in_containers = ReadChoice("images", flags.images, "container", problems);
  config.runtimes.python_is_built =
      ReadChoice("python_environments", flags.python_environments, "build", problems);
  config.container_engine = flags.container_engine;
  if (!IsName(flags.container_network)) {
    problems.Add("container_network",
                 flags.container_network,
                 "must be host, none, bridge or the name of a network");
  }
  config.container_network = flags.container_network;
  const absl::StatusOr<std::int64_t> bytes = ParseBytes(flags.python_bytes);
  if (bytes.ok()) {
    config.python_bytes = *bytes;
  } else {
    problems.Add(
        "python_bytes", flags.python_bytes, "must be an amount such as 20GiB; 0: no limit");
  }
  config.tools_environment = flags.tools_environment;
}

}  // namespace

std::optional<std::string> ParseAddress(const std::string& text) {
  if (text.starts_with("grpc://")) return ParseAddress(text.substr(7));
  if (text.starts_with("unix:")) {
    const std::size_t path = text.find_first_not_of('/', 5);
    if (path == std::string::npos || path == 5) return std::nullopt;
    return "unix:/" + text.substr(path);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || text.find('/') != std::string::npos) {
    return std::nullopt;
  }
  const std::string port = text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoi(port) == 0 || std::stoi(port) > 65535) return std::nullopt;
  return text;
}

absl::StatusOr<AgentConfig> ConfigOf(const AgentFlags& flags) {
  AgentConfig config;
  Problems problems;
  ReadAddresses(flags, config, problems);
  ReadAmounts(flags, config, problems);
  ReadStepProcesses(flags, config, problems);
  ReadGpus(flags, config, problems);
  ReadNamed(flags, config, problems);
  ReadNames(flags, config, problems);
  if (flags.state.empty()) {
    problems.Add("state", flags.state, "must be a folder that only this agent uses");
  } else {
    config.state = std::filesystem::absolute(flags.state).lexically_normal();
  }
  config.allows_exec = flags.exec == "allow";
  if (!config.allows_exec && flags.exec != "deny") {
    problems.Add("exec", flags.exec, "must be allow or deny");
  }
  if (flags.on_stop == "kill") {
    config.on_stop = OnStop::kKill;
  } else if (flags.on_stop != "leave") {
    problems.Add("on_stop", flags.on_stop, "must be leave or kill");
  }
  const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), flags.log_level) == levels.end()) {
    problems.Add("log_level", flags.log_level, "must be trace, debug, info, warn or error");
  }
  config.log_level = flags.log_level;
  if (flags.transfer_threads < 1 || flags.transfer_threads > 64) {
    problems.Add("transfer_threads", std::to_string(flags.transfer_threads), "must be 1 to 64");
  }
  config.transfer_threads = flags.transfer_threads;
  config.step_path = flags.step_path;
  ReadRuntimes(flags, config, problems);
  ReadTools(flags, config, problems);
  if (const absl::Status wrong = problems.AsStatus(); !wrong.ok()) return wrong;
  return config;
}

MachineFacts Offer(const AgentConfig& config, MachineFacts facts) {
  if (config.memory_bytes) facts.capacity.memory_bytes = *config.memory_bytes;
  if (config.cpu_millis) facts.capacity.cpu_millis = *config.cpu_millis;
  if (config.disk_bytes) facts.capacity.disk_bytes = *config.disk_bytes;
  facts.capacity.named = config.named;
  if (!config.declared_gpus.empty()) facts.gpus.clear();
  for (const DeclaredGpu& gpu : config.declared_gpus) {
    facts.gpus.push_back({gpu.index, gpu.model, gpu.memory_bytes, ""});
  }
  for (const auto& [name, value] : config.labels) facts.labels[name] = value;
  if (config.gpus && static_cast<std::size_t>(*config.gpus) < facts.gpus.size()) {
    facts.gpus.resize(static_cast<std::size_t>(*config.gpus));
  }
  facts.capacity.gpu_millis = MillisOfGpus(static_cast<std::int32_t>(facts.gpus.size()));
  return facts;
}

}  // namespace potok::agent
