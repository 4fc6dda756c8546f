#include "agent/domain/distribution.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {

namespace {

using Environment = std::map<std::string, std::string>;

// A step on one machine is the only member there is.
GangPlace PlaceOf(const AttemptOrder& order) {
  if (order.gang.has_value()) return *order.gang;
  GangPlace alone;
  alone.hosts = {"127.0.0.1"};
  // Attempts of one machine that run at the same time rarely share a port.
  alone.port = static_cast<std::int32_t>(20000 + (order.key.run * 131 + order.key.index) % 10000);
  return alone;
}

std::int32_t ProcessesOf(const AttemptOrder& order) {
  const bool has_processes =
      order.distribution.type == "pytorch" || order.distribution.type == "mpi";
  return has_processes ? std::max(order.distribution.process_count_per_instance, 1) : 1;
}

void AddPytorch(const GangPlace& place, std::int32_t processes, Environment& to) {
  const auto machines = static_cast<std::int32_t>(place.hosts.size());
  to["MASTER_ADDR"] = place.hosts.front();
  to["MASTER_PORT"] = std::to_string(place.port);
  to["WORLD_SIZE"] = std::to_string(machines * processes);
  to["LOCAL_WORLD_SIZE"] = std::to_string(processes);
  to["NODE_RANK"] = std::to_string(place.rank);
  if (processes > 1) return;
  to["RANK"] = std::to_string(place.rank);
  to["LOCAL_RANK"] = "0";
}

std::size_t CountOf(const AttemptOrder& order, const char* name) {
  const auto written = order.distribution.properties.find(name);
  std::uint32_t count = 0;
  if (written == order.distribution.properties.end() ||
      !absl::SimpleAtoi(written->second, &count)) {
    return 0;
  }
  return count;
}

// The last members are parameter servers, as many as there are to be.
void AddTensorflow(const AttemptOrder& order, const GangPlace& place, Environment& to) {
  const std::size_t servers =
      std::min(CountOf(order, "parameter_server_count"), place.hosts.size() - 1);
  const std::size_t workers = place.hosts.size() - servers;
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < place.hosts.size(); ++i) {
    addresses.push_back(
        fmt::format("\"{}:{}\"", place.hosts[i], place.port + static_cast<std::int32_t>(i)));
  }
  const auto list = [&](std::size_t from, std::size_t to_end) {
    return fmt::format("[{}]",
                       fmt::join(addresses.begin() + static_cast<std::ptrdiff_t>(from),
                                 addresses.begin() + static_cast<std::ptrdiff_t>(to_end),
                                 ", "));
  };
  const auto rank = static_cast<std::size_t>(place.rank);
  std::string cluster = "\"worker\": " + list(0, workers);
  if (servers > 0) cluster += ", \"ps\": " + list(workers, place.hosts.size());
  to["TF_CONFIG"] = fmt::format(
      R"({{"cluster": {{{}}}, "task": {{"type": "{}", "index": {}}}, "environment": "cloud"}})",
      cluster,
      rank < workers ? "worker" : "ps",
      rank < workers ? rank : rank - workers);
}

}  // namespace

bool NeedsLauncher(const AttemptOrder& order) {
  const bool is_mpi = order.distribution.type == "mpi";
  return ProcessesOf(order) > 1 || (is_mpi && order.gang.has_value());
}

void AddDistribution(const AttemptOrder& order, Environment& to) {
  const GangPlace place = PlaceOf(order);
  const std::string rank = std::to_string(place.rank);
  to["AZUREML_CR_NODE_RANK"] = rank;
  to["AZUREML_NODE_COUNT"] = std::to_string(place.hosts.size());
  to["AZUREML_PROCESS_NAME"] = "rank_" + rank;
  if (order.gang.has_value() || NeedsLauncher(order)) {
    to["POTOK_NODE_RANK"] = rank;
    to["POTOK_NODES"] = fmt::format("{}", fmt::join(place.hosts, ","));
    to["POTOK_NODE_PORT"] = std::to_string(place.port);
    to["POTOK_PROCESSES"] = std::to_string(ProcessesOf(order));
    to["POTOK_DISTRIBUTION"] = order.distribution.type;
    to["POTOK_GANG_TOKEN"] = place.token;
  }
  const std::string& type = order.distribution.type;
  if (type == "pytorch") {
    AddPytorch(place, ProcessesOf(order), to);
  } else if (type == "tensorflow") {
    AddTensorflow(order, place, to);
  } else if (type == "mpi") {
    to["AZ_BATCH_HOST_LIST"] = fmt::format("{}", fmt::join(place.hosts, ","));
    to["AZ_BATCH_MASTER_NODE"] = fmt::format("{}:{}", place.hosts.front(), place.port);
  }
}

}  // namespace potok::agent
