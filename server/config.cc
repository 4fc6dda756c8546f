#include "server/config.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/age.h"
#include "common/base/resources.h"
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

absl::Status ServerConfig::Validate() const {
  std::vector<std::string> wrong;
  if (home.empty()) {
    wrong.emplace_back(
        "--home: name the folder for blobs, logs and datastores, for example "
        "--home=/var/lib/potok");
  } else if (home[0] != '/') {
    wrong.push_back(fmt::format("--home={}: give an absolute path", home));
  }
  if (database.empty() == embedded_postgres.empty()) {
    wrong.emplace_back(
        "--database or --embedded-postgres: give one of them: postgresql://... of your own, or a "
        "folder for a "
        "private PostgreSQL");
  }
  if (!embedded_postgres.empty() && embedded_postgres[0] != '/') {
    wrong.push_back(
        fmt::format("--embedded-postgres={}: give an absolute path", embedded_postgres));
  }
  if (!listen.empty() && (!HasPrefix(listen, "unix:/") || listen.size() > kSocketPathMax + 5)) {
    wrong.push_back(fmt::format(
        "--listen={}: give unix:/absolute/path of at most {} characters (TCP: --insecure-listen)",
        listen,
        kSocketPathMax));
  }
  if (!insecure_listen.empty() && insecure_listen.find(':') == std::string::npos) {
    wrong.push_back(fmt::format("--insecure-listen={}: give HOST:PORT", insecure_listen));
  }
  if (!tracking_listen.empty() && tracking_listen.find(':') == std::string::npos) {
    wrong.push_back(fmt::format("--tracking-listen={}: give HOST:PORT", tracking_listen));
  }
  if (!tracking_url.empty() && !HasPrefix(tracking_url, "http://") &&
      !HasPrefix(tracking_url, "https://")) {
    wrong.push_back(fmt::format("--tracking-url={}: give http://HOST:PORT", tracking_url));
  }
  const bool is_everywhere = HasPrefix(tracking_listen, "0.0.0.0:") ||
                             HasPrefix(tracking_listen, "[::]:") || HasPrefix(tracking_listen, ":");
  if (is_everywhere && tracking_url.empty()) {
    wrong.push_back(
        fmt::format("--tracking-listen={}: nobody can connect to that; say with --tracking-url "
                    "what steps connect to, for example http://{}:PORT",
                    tracking_listen,
                    "server.example"));
  }
  if (!artifacts.empty() && !HasPrefix(artifacts, "unix:/") &&
      (artifacts.find(':') == std::string::npos || artifacts.find('/') != std::string::npos)) {
    wrong.push_back(fmt::format("--artifacts={}: give grpc://HOST:PORT or unix:/path", artifacts));
  }
  if (const auto bytes = ParseBytes(http_bytes_max); !bytes.ok()) {
    wrong.push_back(fmt::format("--http-bytes-max={}: give an amount such as 100GiB; 0: no limit",
                                http_bytes_max));
  }
  for (const auto& [flag, value] : {std::pair{"--artifacts-quota", &artifacts_quota},
                                    std::pair{"--disk-reserve", &disk_reserve}}) {
    if (ParseBytes(*value).ok()) continue;
    wrong.push_back(fmt::format("{}={}: give an amount such as 500GiB; 0: no limit", flag, *value));
  }
  if (!artifacts.empty() && artifacts_quota != "0") {
    wrong.emplace_back("--artifacts-quota: the store that --artifacts names has limits of its own");
  }
  if (const auto age = ParseAge(retention); !age.ok()) {
    wrong.push_back(fmt::format("--retention={}: give an age such as 30d, or forever", retention));
  }
  if (!http_ca_file.empty() && access(http_ca_file.c_str(), R_OK) != 0) {
    wrong.push_back(fmt::format("--http-ca-file={}: cannot be read", http_ca_file));
  }
  if (lease <= absl::ZeroDuration())
    wrong.emplace_back("--lease: must be above 0, or inf for ever");
  if (lease_grace <= absl::ZeroDuration()) wrong.emplace_back("--lease-grace: must be above 0");
  if (silent_after <= absl::ZeroDuration() || silent_after > lease) {
    wrong.emplace_back("--silent-after: must be above 0 and at most --lease");
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(wrong, "\n"));
}

}  // namespace potok::server
