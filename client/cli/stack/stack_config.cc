#include "client/cli/stack/stack_config.h"

#include <yaml-cpp/yaml.h>

#include "client/cli/stack/process_identity.h"
#include "client/cli/text/value.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

Value Texts(const std::vector<std::string>& texts) {
  Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return Value(std::move(array));
}

std::vector<std::string> TextsOf(const YAML::Node& node) {
  return node ? node.as<std::vector<std::string>>() : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> AgentNames(const std::string& host, int count) {
  if (count == 1) return {host};
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back(fmt::format("{}-{}", host, i));
  return names;
}

std::vector<ProcessSpec> ProcessesOf(const StackConfig& config, const Home& home) {
  std::vector<ProcessSpec> processes;
  processes.push_back({"server",
                       {config.server_program,
                        "--home=" + home.root,
                        "--embedded-postgres=" + home.postgres(),
                        "--listen=" + home.server_address(),
                        "--http-listen=127.0.0.1:0",
                        "--unknown-pool-is-default"}});
  // Last, so that they win.
  std::vector<std::string>& server = processes.back().argv;
  server.insert(server.end(), config.server_flags.begin(), config.server_flags.end());
  for (const std::string& name : config.agents) {
    std::vector<std::string> argv = {config.agent_program,
                                     "--server=" + home.server_address(),
                                     "--name=" + name,
                                     "--state=" + home.agent_state(name)};
    if (!config.agent_memory.empty()) argv.push_back("--memory=" + config.agent_memory);
    if (!config.agent_cpus.empty()) argv.push_back("--cpus=" + config.agent_cpus);
    if (!config.agent_gpus.empty()) argv.push_back("--gpus=" + config.agent_gpus);
    for (const std::string& label : config.agent_labels) argv.push_back("--label=" + label);
    for (const std::string& pool : config.agent_pools) argv.push_back("--pool=" + pool);
    argv.insert(argv.end(), config.agent_flags.begin(), config.agent_flags.end());
    processes.push_back({"agent-" + name, std::move(argv)});
  }
  return processes;
}

absl::Status SaveConfig(const StackConfig& config, const Home& home) {
  const Object object = {{"server_program", config.server_program},
                         {"agent_program", config.agent_program},
                         {"server_flags", Texts(config.server_flags)},
                         {"agents", Texts(config.agents)},
                         {"agent_memory", config.agent_memory},
                         {"agent_cpus", config.agent_cpus},
                         {"agent_gpus", config.agent_gpus},
                         {"agent_labels", Texts(config.agent_labels)},
                         {"agent_pools", Texts(config.agent_pools)},
                         {"agent_flags", Texts(config.agent_flags)}};
  return ReplaceFile(home.config_file(), ToYaml(Value(object)));
}

absl::StatusOr<std::optional<StackConfig>> LoadConfig(const Home& home) {
  const std::string text = ContentOf(home.config_file());
  if (text.empty()) return std::optional<StackConfig>();
  try {
    const YAML::Node node = YAML::Load(text);
    const auto word = [&](const char* key) { return node[key] ? node[key].as<std::string>() : ""; };
    StackConfig config;
    config.server_program = word("server_program");
    config.agent_program = word("agent_program");
    config.server_flags = TextsOf(node["server_flags"]);
    config.agents = TextsOf(node["agents"]);
    config.agent_memory = word("agent_memory");
    config.agent_cpus = word("agent_cpus");
    config.agent_gpus = word("agent_gpus");
    config.agent_labels = TextsOf(node["agent_labels"]);
    config.agent_pools = TextsOf(node["agent_pools"]);
    config.agent_flags = TextsOf(node["agent_flags"]);
    return std::make_optional(std::move(config));
  } catch (const YAML::Exception& error) {
    return absl::DataLossError(fmt::format(
        "cannot read {}: {}; remove it after `potok down`", home.config_file(), error.what()));
  }
}

}  // namespace potok::client
