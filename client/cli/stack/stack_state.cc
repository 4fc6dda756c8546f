#include "client/cli/stack/stack_state.h"

#include <yaml-cpp/yaml.h>

#include "client/cli/text/value.h"

namespace potok::client {

absl::Status SaveState(const std::vector<ProcessState>& processes, const Home& home) {
  Array array;
  for (const ProcessState& process : processes) {
    const bool ended = process.last_end_at != absl::InfinitePast();
    array.emplace_back(
        Object{{"name", process.name},
               {"pid", std::int64_t{process.identity.pid}},
               {"start_ticks", static_cast<std::int64_t>(process.identity.start_ticks)},
               {"boot_id", process.identity.boot_id},
               {"restarts", process.restarts},
               {"last_end", process.last_end},
               {"last_end_us", ended ? absl::ToUnixMicros(process.last_end_at) : 0}});
  }
  return ReplaceFile(home.state_file(), ToYaml(Value(std::move(array))));
}

std::vector<ProcessState> LoadState(const Home& home) {
  std::vector<ProcessState> processes;
  try {
    for (const YAML::Node& node : YAML::Load(ContentOf(home.state_file()))) {
      ProcessState process;
      process.name = node["name"].as<std::string>();
      process.identity.pid = node["pid"].as<pid_t>();
      process.identity.start_ticks = node["start_ticks"].as<std::uint64_t>();
      process.identity.boot_id = node["boot_id"].as<std::string>();
      process.restarts = node["restarts"].as<int>();
      process.last_end = node["last_end"].as<std::string>();
      const auto ended_us = node["last_end_us"].as<std::int64_t>();
      if (ended_us != 0) process.last_end_at = absl::FromUnixMicros(ended_us);
      processes.push_back(std::move(process));
    }
  } catch (const YAML::Exception&) {
    processes.clear();
  }
  return processes;
}

}  // namespace potok::client
