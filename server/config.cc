#include "server/config.h"

#include <unistd.h>

#include <map>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/age.h"
#include "common/base/resources.h"
#include "common/pipeline/webhooks.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// sockaddr_un(7): 108 bytes with the terminating zero.
constexpr std::size_t kSocketPathMax = 107;

bool HasPrefix(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

}  // namespace

void ServerConfig::Complete() {
  if (home.empty()) return;
  if (listen.empty()) listen = "unix:" + home + "/server.sock";
  if (datastores.empty()) datastores = home + "/datastores";
  // Who can only come through the socket is on this machine already.
  if (insecure_listen.empty()) http_local_sources = true;
  if (HasPrefix(artifacts, "grpc://")) artifacts = artifacts.substr(7);
}

namespace {

void CheckPlaces(const ServerConfig& config, std::vector<std::string>* wrong) {
  if (config.home.empty()) {
    wrong->emplace_back(
        "--home: name the folder for blobs, logs and datastores, for example "
        "--home=/var/lib/potok");
  } else if (config.home[0] != '/') {
    wrong->push_back(fmt::format("--home={}: give an absolute path", config.home));
  }
  if (config.database.empty() == config.embedded_postgres.empty()) {
    wrong->emplace_back(
        "--database or --embedded-postgres: give one of them: postgresql://... of your own, or a "
        "folder for a "
        "private PostgreSQL");
  }
  if (!config.embedded_postgres.empty() && config.embedded_postgres[0] != '/') {
    wrong->push_back(
        fmt::format("--embedded-postgres={}: give an absolute path", config.embedded_postgres));
  }
  if (!config.http_ca_file.empty() && access(config.http_ca_file.c_str(), R_OK) != 0) {
    wrong->push_back(fmt::format("--http-ca-file={}: cannot be read", config.http_ca_file));
  }
}

void CheckAddresses(const ServerConfig& config, std::vector<std::string>* wrong) {
  if (!config.listen.empty() &&
      (!HasPrefix(config.listen, "unix:/") || config.listen.size() > kSocketPathMax + 5)) {
    wrong->push_back(fmt::format(
        "--listen={}: give unix:/absolute/path of at most {} characters (TCP: --insecure-listen)",
        config.listen,
        kSocketPathMax));
  }
  if (!config.insecure_listen.empty() && config.insecure_listen.find(':') == std::string::npos) {
    wrong->push_back(fmt::format("--insecure-listen={}: give HOST:PORT", config.insecure_listen));
  }
  if (!config.artifacts.empty() && !HasPrefix(config.artifacts, "unix:/") &&
      (config.artifacts.find(':') == std::string::npos ||
       config.artifacts.find('/') != std::string::npos)) {
    wrong->push_back(
        fmt::format("--artifacts={}: give grpc://HOST:PORT or unix:/path", config.artifacts));
  }
}

void CheckTracking(const ServerConfig& config, std::vector<std::string>* wrong) {
  if (!config.tracking_listen.empty() && config.tracking_listen.find(':') == std::string::npos) {
    wrong->push_back(fmt::format("--tracking-listen={}: give HOST:PORT", config.tracking_listen));
  }
  if (!config.tracking_url.empty() && !HasPrefix(config.tracking_url, "http://") &&
      !HasPrefix(config.tracking_url, "https://")) {
    wrong->push_back(fmt::format("--tracking-url={}: give http://HOST:PORT", config.tracking_url));
  }
  const bool is_everywhere = HasPrefix(config.tracking_listen, "0.0.0.0:") ||
                             HasPrefix(config.tracking_listen, "[::]:") ||
                             HasPrefix(config.tracking_listen, ":");
  if (is_everywhere && config.tracking_url.empty()) {
    wrong->push_back(
        fmt::format("--tracking-listen={}: nobody can connect to that; say with --tracking-url "
                    "what steps connect to, for example http://{}:PORT",
                    config.tracking_listen,
                    "server.example"));
  }
}

void CheckAmounts(const ServerConfig& config, std::vector<std::string>* wrong) {
  if (const auto bytes = ParseBytes(config.http_bytes_max); !bytes.ok()) {
    wrong->push_back(fmt::format("--http-bytes-max={}: give an amount such as 100GiB; 0: no limit",
                                 config.http_bytes_max));
  }
  for (const auto& [flag, value] : {std::pair{"--artifacts-quota", &config.artifacts_quota},
                                    std::pair{"--disk-reserve", &config.disk_reserve}}) {
    if (ParseBytes(*value).ok()) continue;
    wrong->push_back(
        fmt::format("{}={}: give an amount such as 500GiB; 0: no limit", flag, *value));
  }
  if (!config.artifacts.empty() && config.artifacts_quota != "0") {
    wrong->emplace_back(
        "--artifacts-quota: the store that --artifacts names has limits of its own");
  }
}

void CheckNotifications(const ServerConfig& config, std::vector<std::string>* wrong) {
  std::map<std::string, std::string> properties;
  const absl::Status url = config.notify_url.empty()
                               ? absl::OkStatus()
                               : AddWebhooks({config.notify_url}, "", &properties);
  if (!url.ok()) wrong->push_back(fmt::format("--notify-url: {}", std::string(url.message())));
  const std::string& command = config.notify_command;
  if (!command.empty() && (command[0] != '/' || access(command.c_str(), X_OK) != 0)) {
    wrong->push_back(fmt::format(
        "--notify-command={}: give the absolute path of a program that this user may run",
        command));
  }
  if (!config.notify_secret_file.empty() && access(config.notify_secret_file.c_str(), R_OK) != 0) {
    wrong->push_back(
        fmt::format("--notify-secret-file={}: cannot be read", config.notify_secret_file));
  }
}

void CheckTimes(const ServerConfig& config, std::vector<std::string>* wrong) {
  if (const auto age = ParseAge(config.retention); !age.ok()) {
    wrong->push_back(
        fmt::format("--retention={}: give an age such as 30d, or forever", config.retention));
  }
  if (config.lease <= absl::ZeroDuration())
    wrong->emplace_back("--lease: must be above 0, or inf for ever");
  if (config.lease_grace <= absl::ZeroDuration())
    wrong->emplace_back("--lease-grace: must be above 0");
  if (config.silent_after <= absl::ZeroDuration() || config.silent_after > config.lease) {
    wrong->emplace_back("--silent-after: must be above 0 and at most --lease");
  }
}

}  // namespace

absl::Status ServerConfig::Validate() const {
  std::vector<std::string> wrong;
  CheckPlaces(*this, &wrong);
  CheckAddresses(*this, &wrong);
  CheckTracking(*this, &wrong);
  CheckAmounts(*this, &wrong);
  CheckTimes(*this, &wrong);
  CheckNotifications(*this, &wrong);
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(wrong, "\n"));
}

}  // namespace potok::server
