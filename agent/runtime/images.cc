#include "agent/runtime/images.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_split.h"
#include "agent/runtime/run_program.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

constexpr absl::Duration kPullPatience = absl::Hours(2);

void SayInLog(const std::string& log, const std::string& line) {
  std::ofstream(log, std::ios::app) << line << "\n";
}

std::vector<std::string> TextsOf(const std::string& text, char separator) {
  return absl::StrSplit(text, separator, absl::SkipEmpty());
}

std::string FindTool(const std::string& name,
                     const std::map<std::string, std::string>& environment) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const auto path = environment.find("PATH");
  const std::string folders = path == environment.end() ? "/usr/bin:/bin" : path->second;
  for (const std::string& folder : TextsOf(folders, ':')) {
    std::string candidate = folder + "/" + name;
    if (folder[0] == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

// podman's own; docker has one built in.
bool HasCatatonit() {
  for (const char* path : {"/usr/libexec/podman/catatonit",
                           "/usr/lib/podman/catatonit",
                           "/usr/local/libexec/podman/catatonit",
                           "/usr/bin/catatonit"}) {
    if (access(path, X_OK) == 0) return true;
  }
  return false;
}

absl::StatusOr<ProgramEnd> RunEngine(const ContainerEngine& engine,
                                     std::vector<std::string> arguments,
                                     const std::function<bool()>& canceled = {},
                                     absl::Duration timeout = absl::Minutes(2)) {
  ProgramRun run;
  run.argv = std::move(arguments);
  run.environment = engine.environment;
  run.timeout = timeout;
  run.canceled = canceled;
  return RunProgram(run);
}

}  // namespace

absl::StatusOr<ContainerEngine> LookForEngine(
    const std::string& program, const std::map<std::string, std::string>& environment) {
  ContainerEngine engine;
  engine.environment = environment;
  if (program.empty()) {
    engine.program = FindTool("podman", environment);
    if (engine.program.empty()) engine.program = FindTool("docker", environment);
  } else {
    engine.program = FindTool(program, environment);
  }
  if (engine.program.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("there is no {}; install podman, or name it with --container-engine",
                    program.empty() ? "podman and no docker" : program));
  }
  POTOK_ASSIGN_OR_RETURN(const ProgramEnd version,
                         RunEngine(engine, {engine.program, "--version"}));
  if (version.code != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{} does not work here: {}", engine.program, LastWords(version)));
  }
  if (version.output.starts_with("Docker")) engine.kind = ContainerEngine::Kind::kDocker;
  const bool is_docker = engine.kind == ContainerEngine::Kind::kDocker;
  engine.has_init = is_docker || HasCatatonit();
  engine.user = is_docker ? fmt::format("{}:{}", getuid(), getgid()) : "0:0";
  // Without its daemon, or where podman cannot have its storage, nothing will run.
  POTOK_ASSIGN_OR_RETURN(const ProgramEnd works,
                         RunEngine(engine, {engine.program, "ps", "--quiet"}));
  if (works.code == 0) return engine;
  return absl::FailedPreconditionError(
      fmt::format("{} does not work here: {}", engine.program, LastWords(works)));
}

absl::StatusOr<ImageFacts> Images::Inspect(const std::string& image) {
  POTOK_ASSIGN_OR_RETURN(const ProgramEnd end,
                         RunEngine(engine_, InspectArguments(engine_, image)));
  if (end.code != 0) return absl::NotFoundError(LastWords(end));
  return ParseInspection(image, end.output);
}

absl::StatusOr<ImageFacts> Images::Get(const std::string& image,
                                       const std::string& log,
                                       const std::function<bool()>& canceled) {
  POTOK_RETURN_IF_ERROR(CheckImageName(image));
  absl::StatusOr<ImageFacts> found = Inspect(image);
  if (!absl::IsNotFound(found.status())) return found;
  POTOK_RETURN_IF_ERROR(pulls_.Do(image, canceled, [&] {
    found = Inspect(image);  // another attempt may have pulled it meanwhile
    return absl::IsNotFound(found.status()) ? Pull(image, log, canceled) : absl::OkStatus();
  }));
  return found.ok() ? found : Inspect(image);
}

absl::Status Images::Pull(const std::string& image,
                          const std::string& log,
                          const std::function<bool()>& canceled) {
  spdlog::info("image is pulled image={}", image);
  SayInLog(log, fmt::format("potok: pulling the image {}", image));
  POTOK_ASSIGN_OR_RETURN(
      const ProgramEnd end,
      RunEngine(engine_, PullArguments(engine_, image), canceled, kPullPatience));
  if (end.code == 0) return absl::OkStatus();
  const std::string words = LastWords(end);
  const std::string advice = AdviceOn(words);
  return absl::FailedPreconditionError(fmt::format(
      "could not pull the image {}: {}; {}",
      image,
      words,
      !advice.empty() ? advice
                      : fmt::format("check its name and that this machine reaches its registry "
                                    "(`{0} pull {1}`), or load it there (`{0} load`)",
                                    std::filesystem::path(engine_.program).filename().string(),
                                    image)));
}

void Images::Remove(const std::string& attempt) {
  const absl::StatusOr<ProgramEnd> end = RunEngine(engine_, RemoveArguments(engine_, attempt));
  const bool gone = end.ok() && (end->code == 0 || engine_.kind == ContainerEngine::Kind::kDocker);
  if (gone) return;
  spdlog::warn("container not removed attempt={} error=\"{}\"",
               attempt,
               end.ok() ? LastWords(*end) : end.status().ToString());
}

void Images::RemoveAllBut(const std::set<std::string>& attempts) {
  const absl::StatusOr<ProgramEnd> end = RunEngine(engine_, ListArguments(engine_));
  if (!end.ok() || end->code != 0) return;
  const std::string prefix = ContainerName(engine_, "");
  for (const std::string& name : TextsOf(end->output, '\n')) {
    if (!name.starts_with(prefix)) continue;
    const std::string attempt = name.substr(prefix.size());
    if (attempts.contains(attempt)) continue;
    spdlog::info("container of an earlier agent is removed attempt={}", attempt);
    Remove(attempt);
  }
}

}  // namespace potok::agent
