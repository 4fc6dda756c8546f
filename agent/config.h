// What an agent is told at its start. A plain value, made from flags by main.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/domain/log_limit.h"
#include "agent/domain/runtime.h"
#include "agent/loop/agent_loop.h"
#include "agent/resources/machine_probe.h"

namespace potok::agent {

// As written, before anything is checked.
struct AgentFlags {
  std::string server;
  std::string artifacts;
  std::string name;
  std::string state;
  std::string memory;
  std::string cpus;
  std::string gpus;
  std::vector<std::string> gpu;  // model=M, memory=SIZE, index=N, model=M...: each model begins one
  std::string disk;
  std::vector<std::string> resources;  // NAME=COUNT
  std::vector<std::string> labels;
  std::vector<std::string> pools;
  std::string cache_bytes;
  std::string log_bytes = "1GiB";
  std::string on_stop;
  std::string log_level;
  std::string step_path;
  std::string isolation = "none";
  std::vector<std::string> sandbox_reads;
  std::string step_processes;
  std::string images = "host";
  std::string container_engine;
  std::string container_network = "host";
  std::string python_environments = "host";
  std::string python_bytes = "20GiB";
  std::string exec = "allow";
  std::map<std::string, std::string> tools_environment;
  int transfer_threads = 4;
};

struct AgentConfig {
  std::string server;     // "unix:PATH" or "HOST:PORT"
  std::string artifacts;  // the same, of the content-addressed store
  std::string name;       // empty: the host's
  std::string state;      // absolute
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int32_t> cpu_millis;
  std::optional<std::int32_t> gpus;
  std::vector<DeclaredGpu> declared_gpus;
  std::optional<std::int64_t> disk_bytes;
  std::map<std::string, std::int64_t> named;
  std::map<std::string, std::string> labels;
  std::vector<std::string> pools;
  std::int64_t cache_bytes = 0;
  LogLimit log_limit;
  OnStop on_stop = OnStop::kLeave;
  bool allows_exec = true;
  std::string log_level;
  std::string step_path;  // empty: the default of StepSurroundings
  RuntimeSettings runtimes;
  std::vector<std::string> sandbox_reads;      // absolute folders, beside the system's
  std::optional<std::int64_t> step_processes;  // 0: any number; nothing: as the isolation says
  std::string container_engine;                // a program; empty: podman, else docker
  std::string container_network;
  std::int64_t python_bytes = 0;                         // of environments that are built
  std::map<std::string, std::string> tools_environment;  // of podman, docker, pip and conda
  int transfer_threads = 4;
};

// INVALID_ARGUMENT naming every flag that is wrong, one a line, with what it should be.
absl::StatusOr<AgentConfig> ConfigOf(const AgentFlags& flags);

// What the machine offers: what it has, but for what the configuration says otherwise. `--gpus`
// beyond what is there adds none; declared GPUs are offered instead of those that were found.
// Labels that are given win over those that are known.
MachineFacts Offer(const AgentConfig& config, MachineFacts facts);

// "HOST:PORT" or "unix:PATH" of "grpc://HOST:PORT", "unix:///PATH" and the like; nothing for what
// is no address.
std::optional<std::string> ParseAddress(const std::string& text);

}  // namespace potok::agent
