#include "tests/bench/stack.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "client/cli/stack/postmaster.h"
#include "client/cli/stack/process_identity.h"
#include "client/potok_client/machines_client.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/embedded/postgres_config.h"
#include "tests/bench/machine.h"

extern char** environ;

namespace potok::bench {
namespace {

// The environment of this process but for what names another stack.
std::vector<std::string> EnvironmentWith(const std::string& home) {
  std::vector<std::string> variables = {"POTOK_HOME=" + home};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    if (text.rfind("POTOK_", 0) != 0) variables.push_back(text);
  }
  return variables;
}

// As execve takes them.
std::vector<char*> PointersTo(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Runs `potok` with these arguments, its output in a file; an error holds that.
absl::Status Potok(const std::string& bin,
                   const std::vector<std::string>& arguments,
                   const std::string& home) {
  const std::string output = home + "/potok-bench.out";
  const std::string program = bin + "/potok";
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = EnvironmentWith(home);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = 0;
  const int error = posix_spawn(&pid,
                                program.c_str(),
                                &files,
                                nullptr,
                                PointersTo(words).data(),
                                PointersTo(variables).data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    return absl::NotFoundError(fmt::format(
        "cannot run {}: {}; name the folder of the programs by --bin", program, strerror(error)));
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (status == 0) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("`potok {}` failed:\n{}", arguments[0], client::ContentOf(output)));
}

}  // namespace

std::map<std::string, double> PerUnit(const StackCpu& before, const StackCpu& after, double units) {
  return {{"server", (after.server - before.server) / units},
          {"agent", (after.agent - before.agent) / units},
          {"PostgreSQL", (after.postgres - before.postgres) / units},
          {"children", (after.children - before.children) / units}};
}

Stack::Stack(std::string bin, client::Home home)
    : bin_(std::move(bin)),
      home_(std::move(home)),
      connection_({home_.server_address(), "potok-bench", true}) {}

absl::StatusOr<std::unique_ptr<Stack>> Stack::Start(const std::string& bin,
                                                    const std::string& folder) {
  POTOK_RETURN_IF_ERROR(Potok(bin, {"up"}, folder));
  // From here on the destructor takes down what was started.
  std::unique_ptr<Stack> stack(new Stack(bin, client::Home{folder}));
  POTOK_RETURN_IF_ERROR(stack->FindProcesses());
  return stack;
}

Stack::~Stack() {
  if (const absl::Status down = Potok(bin_, {"down"}, home_.root); !down.ok()) {
    fmt::print(stderr, "potok-bench: {}\n", std::string(down.message()));
  }
}

absl::Status Stack::FindProcesses() {
  const auto server = client::LiveProcessOf(home_.pid_file("server"));
  const auto postmaster = client::PostmasterOf(home_);
  std::optional<client::ProcessIdentity> agent;
  for (const auto& entry : std::filesystem::directory_iterator(home_.root + "/run")) {
    if (entry.path().filename().string().rfind("agent-", 0) == 0) {
      agent = client::LiveProcessOf(entry.path());
    }
  }
  if (!server || !postmaster || !agent) {
    return absl::UnavailableError(
        fmt::format("no server, PostgreSQL or agent of the stack at {}", home_.root));
  }
  server_ = server->pid;
  postmaster_ = postmaster->pid;
  agent_ = agent->pid;
  return absl::OkStatus();
}

absl::StatusOr<v1::Run> Stack::RunToEnd(const v1::PipelineSpec& spec, StackTimes* times) {
  client::RunsClient runs(connection_.channel());
  times->began_us = NowMicros();
  POTOK_ASSIGN_OR_RETURN(const v1::CreateRunResponse created, runs.Create(spec, "potok-bench"));
  times->accepted_us = NowMicros();
  times->accepted = ReadCpu();
  // The stream ends with the run's last row: once the tables show the newest revision.
  v1::WatchRunRequest watch;
  watch.set_name(created.name());
  watch.set_without_steps(true);
  POTOK_RETURN_IF_ERROR(runs.Watch(watch, [](const v1::WatchRunResponse&) {}, {}));
  times->ended_us = NowMicros();
  POTOK_ASSIGN_OR_RETURN(v1::Run run, runs.Get(created.name(), true));
  if (run.status() == v1::STATUS_COMPLETED) return run;
  return absl::InternalError(
      fmt::format("run {} ended {}: {}", run.name(), client::NameOf(run.status()), run.reason()));
}

absl::Status Stack::RunPotok(const std::vector<std::string>& arguments) const {
  return Potok(bin_, arguments, home_.root);
}

std::string Stack::database_url() const {
  return fmt::format("host={} port=5432 user={} dbname=postgres",
                     server::SocketFolder(home_.postgres()),
                     server::kRole);
}

StackCpu Stack::ReadCpu() const {
  StackCpu cpu;
  cpu.server = CpuMicrosOf(server_);
  cpu.agent = CpuMicrosOf(agent_);
  // Shims live on for the next attempt; what they started has ended.
  cpu.children = CpuMicrosOfEndedChildren(agent_);
  for (const pid_t shim : ChildrenOf(agent_)) {
    cpu.children += CpuMicrosOf(shim) + CpuMicrosOfEndedChildren(shim);
  }
  cpu.postgres = CpuMicrosOf(postmaster_) + CpuMicrosOfEndedChildren(postmaster_);
  for (const pid_t backend : ChildrenOf(postmaster_)) cpu.postgres += CpuMicrosOf(backend);
  return cpu;
}

std::int64_t Stack::ServerMemory() const {
  return ResidentBytesOf(server_);
}

absl::StatusOr<std::string> Stack::Isolation() {
  client::MachinesClient machines(connection_.channel());
  POTOK_ASSIGN_OR_RETURN(const std::vector<v1::Machine> found, machines.List());
  return found.empty() ? std::string("none") : found[0].isolation();
}

}  // namespace potok::bench
