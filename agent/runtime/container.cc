#include "agent/runtime/container.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/status_macros.h"
#include "common/pipeline/json.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {
namespace {

constexpr std::size_t kImageNameMax = 512;
// bufio.Scanner of Go takes no longer lines.
constexpr std::size_t kLineMax = 60'000;
constexpr const char* kOwnerLabel = "potok.agent";

// Podman and docker read lines: of these they would make something else.
bool FitsInALine(const std::string& name, const std::string& value) {
  return value.find_first_of("\n\r") == std::string::npos && value.size() < kLineMax &&
         !name.empty() && name[0] != '#' && name.find_first_of(" \t\n") == std::string::npos;
}

// A field of CSV (RFC 4180), of which --mount is made.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void AddMount(const std::string& path, bool writable, std::vector<std::string>* argv) {
  argv->emplace_back("--mount");
  argv->push_back(fmt::format("type=bind,{},{}{}",
                              CsvField("source=" + path),
                              CsvField("destination=" + path),
                              writable ? "" : ",readonly"));
}

void AddLimits(const ContainerEngine& engine,
               const Resources& limits,
               std::vector<std::string>* argv) {
  if (engine.kind == ContainerEngine::Kind::kPodman) {
    argv->insert(argv->end(), {"--cgroups=disabled", "--pids-limit=0", "--shm-size=0"});
    return;
  }
  if (limits.memory_bytes > 0) argv->push_back(fmt::format("--memory={}", limits.memory_bytes));
  if (limits.cpu_millis > 0) {
    argv->push_back(fmt::format("--cpus={:.3f}", static_cast<double>(limits.cpu_millis) / 1000.0));
  }
  argv->insert(argv->end(), {"--pids-limit=32768", "--shm-size=2g"});
}

void AddGpuDevices(const ContainerEngine& engine,
                   const std::vector<std::int32_t>& gpus,
                   std::vector<std::string>* argv) {
  if (gpus.empty()) return;
  if (engine.kind == ContainerEngine::Kind::kDocker) {
    argv->push_back(fmt::format("--gpus=\"device={}\"", fmt::join(gpus, ",")));
    return;
  }
  for (const std::int32_t gpu : gpus) {
    argv->push_back(fmt::format("--device=nvidia.com/gpu={}", gpu));
  }
}

}  // namespace

absl::Status CheckImageName(const std::string& image) {
  const bool plain = !image.empty() && image.size() <= kImageNameMax &&
                     absl::ascii_isalnum(static_cast<unsigned char>(image[0])) &&
                     std::ranges::all_of(image, [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
                              c == '_' || c == '-' || c == '/' || c == ':' || c == '@';
                     });
  if (plain) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no name of an image; write it as registry/name:tag", image));
}

absl::StatusOr<RuntimeCommand> InContainer(const ContainerEngine& engine,
                                           const std::string& image_id,
                                           const std::string& variables_file,
                                           const RuntimeLaunch& launch) {
  if (launch.argv.empty()) return absl::InvalidArgumentError("the command is empty");
  RuntimeCommand command;
  command.environment = engine.environment;
  std::vector<std::string>& argv = command.argv;
  argv = {engine.program,
          "run",
          "--rm",
          "--pull=never",
          "--name=" + ContainerName(engine, launch.name),
          fmt::format("--label={}={}", kOwnerLabel, engine.owner),
          "--network=" + (launch.has_network ? engine.network : "none"),
          "--user=" + engine.user,
          "--security-opt=no-new-privileges",
          "--security-opt=label=disable",
          "--workdir=" + launch.working_directory,
          "--env-file=" + variables_file,
          "--entrypoint="};
  if (engine.kind == ContainerEngine::Kind::kPodman) argv.emplace_back("--log-driver=passthrough");
  if (engine.has_init) argv.emplace_back("--init");
  AddLimits(engine, launch.limits, &argv);
  AddGpuDevices(engine, launch.gpus, &argv);
  for (const std::string& path : launch.read_only) AddMount(path, false, &argv);
  for (const std::string& path : launch.writable) AddMount(path, true, &argv);
  for (const auto& [name, value] : launch.environment) {
    if (!FitsInALine(name, value)) argv.push_back(fmt::format("--env={}={}", name, value));
  }
  argv.push_back(image_id);
  argv.insert(argv.end(), launch.argv.begin(), launch.argv.end());
  return command;
}

RuntimeCommand BesideContainer(const ContainerEngine& engine,
                               const std::string& directory,
                               const SideWish& wish) {
  RuntimeCommand command;
  command.environment = engine.environment;
  command.argv = {engine.program, "exec", "--interactive", "--workdir=" + directory};
  if (wish.has_terminal) {
    command.argv.insert(command.argv.end(), {"--tty", "--env=TERM=" + wish.terminal_type});
  }
  command.argv.push_back(ContainerName(engine, wish.name));
  command.argv.insert(command.argv.end(), wish.argv.begin(), wish.argv.end());
  return command;
}

std::string VariablesText(const std::map<std::string, std::string>& environment) {
  std::string text;
  for (const auto& [name, value] : environment) {
    if (FitsInALine(name, value)) text += fmt::format("{}={}\n", name, value);
  }
  return text;
}

std::string ContainerName(const ContainerEngine& engine, const std::string& attempt) {
  return fmt::format("potok-{}-{}", engine.owner, attempt);
}

std::vector<std::string> InspectArguments(const ContainerEngine& engine, const std::string& image) {
  return {engine.program,
          "image",
          "inspect",
          R"(--format={"id":{{json .ID}},"digests":{{json .RepoDigests}}})",
          image};
}

std::vector<std::string> PullArguments(const ContainerEngine& engine, const std::string& image) {
  return {engine.program, "pull", "--quiet", image};
}

std::vector<std::string> RemoveArguments(const ContainerEngine& engine,
                                         const std::string& attempt) {
  if (engine.kind == ContainerEngine::Kind::kDocker) {
    return {engine.program, "rm", "--force", ContainerName(engine, attempt)};
  }
  return {engine.program, "rm", "--force", "--ignore", "--time=0", ContainerName(engine, attempt)};
}

std::vector<std::string> ListArguments(const ContainerEngine& engine) {
  return {engine.program,
          "ps",
          "--all",
          fmt::format("--filter=label={}={}", kOwnerLabel, engine.owner),
          "--format={{.Names}}"};
}

absl::StatusOr<ImageFacts> ParseInspection(const std::string& image, const std::string& answer) {
  POTOK_ASSIGN_OR_RETURN(const JsonNode facts, ParseJson(answer));
  ImageFacts found;
  std::string digest;
  for (std::size_t i = 0; i < facts.keys.size(); ++i) {
    if (facts.keys[i] == "id") found.id = facts.items[i].text;
    if (facts.keys[i] != "digests" || facts.items[i].items.empty()) continue;
    const std::string& first = facts.items[i].items.front().text;
    digest = first.substr(std::min(first.find('@'), first.size()));
  }
  if (found.id.empty()) return absl::InternalError("the image has no id: " + answer);
  if (digest.empty()) {
    digest = absl::StartsWith(found.id, "sha256:") ? "@" + found.id : "@sha256:" + found.id;
  }
  found.shown = image.find('@') == std::string::npos ? image + digest : image;
  return found;
}

std::string AdviceOn(const std::string& words) {
  if (words.find("cgroups in hybrid mode") != std::string::npos) {
    return "this host mounts cgroups of version 1 and 2, which crun does not take: boot with "
           "systemd.unified_cgroup_hierarchy=1, or run the agent where /sys/fs/cgroup/unified is "
           "not mounted";
  }
  if (words.find("RLIMIT_") != std::string::npos) {
    return "set default_ulimits in containers.conf to what the agent's user may have (ulimit -Hn, "
           "ulimit -Hu)";
  }
  if (words.find("OCI runtime attempted to invoke a command that was not found") !=
      std::string::npos) {
    return "the image has no such program; commands that are more than one program with plain "
           "arguments need /bin/bash in it";
  }
  if (words.find("nvidia.com/gpu") != std::string::npos) {
    return "describe the GPUs to podman: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml";
  }
  return "";
}

std::string WordsOfEnd(int code, const std::string& log_end) {
  if (code < 125 || code > 127) return "";
  const std::string_view kError = "Error: ";
  std::string text = log_end;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const std::size_t begin = text.rfind('\n');
  const std::string last = begin == std::string::npos ? text : text.substr(begin + 1);
  if (last.compare(0, kError.size(), kError) == 0) return last.substr(kError.size());
  if (last.compare(0, 8, "docker: ") == 0) return last.substr(8);
  return "";
}

}  // namespace potok::agent
