#include "client/potok_client/connection.h"

#include <grpcpp/channel.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

std::string VariableOf(const std::map<std::string, std::string>& environment,
                       const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::string ConfigFileOf(const std::map<std::string, std::string>& environment) {
  const std::string config = VariableOf(environment, "XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/potok/config.yml";
  const std::string home = VariableOf(environment, "HOME");
  return home.empty() ? "" : home + "/.config/potok/config.yml";
}

// Empty if there is no file or no such key.
absl::StatusOr<std::string> ServerOfFile(const std::string& path) {
  if (path.empty() || !std::filesystem::exists(path)) return std::string();
  try {
    const YAML::Node node = YAML::LoadFile(path);
    if (!node.IsMap() || !node["server"]) return std::string();
    return node["server"].as<std::string>();
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(fmt::format("cannot read {}: {}", path, error.what()));
  }
}

}  // namespace

bool IsServerAddress(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) return address.size() > 5;
  const std::size_t colon = address.rfind(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < address.size() &&
         address.find_first_not_of("0123456789", colon + 1) == std::string::npos;
}

absl::StatusOr<ServerAddress> FindServer(const std::string& flag,
                                         const std::map<std::string, std::string>& environment,
                                         const std::string& embedded) {
  ServerAddress found{flag, "--server"};
  if (found.address.empty()) found = {VariableOf(environment, "POTOK_SERVER"), "POTOK_SERVER"};
  if (found.address.empty()) {
    const std::string file = ConfigFileOf(environment);
    POTOK_ASSIGN_OR_RETURN(const std::string address, ServerOfFile(file));
    found = {address, file};
  }
  if (found.address.empty()) return ServerAddress{embedded, "the embedded stack", true};
  if (IsServerAddress(found.address)) return found;
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" (from {}) is no server's address: write unix:PATH or HOST:PORT",
                  found.address,
                  found.source));
}

Connection::Connection(ServerAddress address)
    : address_(std::move(address)), channel_(MakeChannel(address_.address)) {}

absl::Status Connection::WaitUntilReachable(absl::Duration timeout) const {
  const std::string& address = address_.address;
  const std::string next = address_.is_embedded
                               ? "start it with `potok up`, or name a server with --server, "
                                 "POTOK_SERVER or ~/.config/potok/config.yml"
                               : "is the server running, and is this its address? `potok up` "
                                 "starts one on this machine";
  if (address.rfind("unix:", 0) == 0 && !std::filesystem::exists(address.substr(5))) {
    return absl::UnavailableError(fmt::format(
        "no server at {} (from {}): there is no such socket; {}", address, address_.source, next));
  }
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout);
  if (channel_->WaitForConnected(deadline)) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("no server answers at {} (from {}) within {}; {}",
                                            address,
                                            address_.source,
                                            absl::FormatDuration(timeout),
                                            next));
}

}  // namespace potok::client
