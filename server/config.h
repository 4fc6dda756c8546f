// What potok-server was told, as plain values. Flags are read in main.cc only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok::server {

struct ServerConfig {
  std::string home;               // folder of blobs, logs and datastores
  std::string database;           // libpq connection string; or embedded_postgres
  std::string embedded_postgres;  // folder of a private cluster
  std::string listen;             // "unix:PATH"; empty: HOME/server.sock
  std::string insecure_listen;    // "HOST:PORT" without TLS; empty: none
  std::string http_listen = "127.0.0.1:0";
  std::string tracking_listen;  // "HOST:PORT" for what steps log; empty: the HTTP port alone
  std::string tracking_url;     // what steps are told instead; empty: where it listens
  std::string datastores;       // empty: HOME/datastores
  std::string artifacts;        // "HOST:PORT" or "unix:PATH" of another store; empty: HOME/blobs
  std::string artifacts_quota = "0";      // what all artifacts may have together; 0: no limit
  std::string disk_reserve = "256MiB";    // what they leave free of their disk
  std::string retention = "forever";      // of outputs and logs, where a pipeline says nothing
  std::string http_bytes_max = "100GiB";  // of an input from the web
  std::string http_proxy;
  std::string http_ca_file;
  bool http_local_sources = false;
  std::string notify_url;          // told of every run that ends; empty: none
  std::string notify_command;      // likewise, the path of a program
  std::string notify_secret_file;  // whose text signs what webhooks get; empty: nothing does
  absl::Duration lease = absl::Minutes(10);
  absl::Duration lease_grace = absl::Seconds(30);
  absl::Duration silent_after = absl::Seconds(20);
  bool unknown_pool_is_default = false;
  bool forced_results_offered = true;       // what steps of a force_rerun made may be reused
  std::uint32_t pending_runs_per_user = 0;  // that have not begun; 0: no limit
  std::string log_level = "info";

  // Fills in what follows from the home folder.
  void Complete();
  // INVALID_ARGUMENT naming every wrong flag, one a line.
  absl::Status Validate() const;
};

}  // namespace potok::server
