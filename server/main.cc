// potok-server: flags, logs, signals; then server.cc.

#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "common/runtime/flags.h"
#include "common/runtime/logging.h"
#include "common/runtime/signals.h"
#include "server/server.h"

ABSL_FLAG(std::string,
          home,
          "",
          "Folder for blobs, logs and datastores; made if it does not exist.");
ABSL_FLAG(std::string,
          database,
          "",
          "PostgreSQL to use, as postgresql://... or a libpq connection string. "
          "Passwords come from PGPASSFILE.");
ABSL_FLAG(std::string,
          embedded_postgres,
          "",
          "Make and run a private PostgreSQL in this folder instead.");
ABSL_FLAG(std::string,
          listen,
          "",
          "Unix socket of the API, unix:/path; made with mode 0600. Default: HOME/server.sock.");
ABSL_FLAG(std::string,
          insecure_listen,
          "",
          "Also listen on HOST:PORT without TLS or authentication. Whoever reaches it "
          "can run commands on every machine: trusted networks only.");
ABSL_FLAG(std::string,
          http_listen,
          "127.0.0.1:0",
          "Loopback address of the API, the web pages, what steps log, /metrics, /healthz and "
          "/readyz; port 0 picks a free one, that of the last time if it can, written to "
          "HOME/http.address.");
ABSL_FLAG(
    std::string,
    tracking_listen,
    "",
    "Also take what steps log (MLflow's REST API) on HOST:PORT, of any address, so that steps "
    "on other machines reach it. Steps come in with a token each; there is no TLS. Default: "
    "steps log to the HTTP port, which only this machine reaches.");
ABSL_FLAG(std::string,
          tracking_url,
          "",
          "What steps are told of where they log, as http://server.example:8781: where they reach "
          "--tracking_listen by another name, or through a proxy. Default: where it listens.");
ABSL_FLAG(std::string, datastores, "", "Folder of the datastores. Default: HOME/datastores.");
ABSL_FLAG(std::string,
          artifacts,
          "",
          "Another store of artifacts, grpc://HOST:PORT: any server of the Remote Execution API's "
          "storage protocol. Give it to the agents too. Default: this server, in HOME/blobs.");
ABSL_FLAG(
    std::string,
    artifacts_quota,
    "0",
    "What all artifacts may have together, as 500GiB: what does not fit is refused until `potok "
    "gc` has freed bytes. 0: no limit.");
ABSL_FLAG(std::string,
          disk_reserve,
          "256MiB",
          "What artifacts leave free of their disk, for logs and the database; 0: nothing.");
ABSL_FLAG(std::string,
          retention,
          "forever",
          "How long outputs and logs of an ended run are kept, as 30d, where its pipeline says "
          "nothing (settings.retention). `potok gc` removes what is older.");
ABSL_FLAG(std::string,
          http_bytes_max,
          "100GiB",
          "What an input from http:// or https:// may have; 0: no limit.");
ABSL_FLAG(std::string,
          http_proxy,
          "",
          "Proxy for inputs from the web and for webhooks, http://HOST:PORT. Default: http_proxy, "
          "https_proxy and "
          "no_proxy of the environment.");
ABSL_FLAG(std::string,
          http_ca_file,
          "",
          "Certificates (PEM) that https:// sources of inputs and webhooks are checked against. "
          "Default: the "
          "system's.");
ABSL_FLAG(
    bool,
    http_local_sources,
    false,
    "With --insecure_listen: also fetch inputs from, and notify webhooks at, addresses of this "
    "machine and its link (loopback, 169.254.0.0/16 with a cloud's credentials).");
ABSL_FLAG(std::string,
          notify_url,
          "",
          "Webhook that is told of every run that ends, http://... or https://..., besides those "
          "that runs name themselves (potok job create --notify).");
ABSL_FLAG(std::string,
          notify_command,
          "",
          "Program that is run for every run that ends, with what it is told on its standard input "
          "and in POTOK_RUN, POTOK_STATUS and others: to send mail, for example.");
ABSL_FLAG(std::string,
          notify_secret_file,
          "",
          "File with a secret, with which what webhooks are told is signed (Potok-Signature).");
ABSL_FLAG(absl::Duration,
          lease,
          absl::Minutes(10),
          "How long a silent machine's steps go on before they are run "
          "elsewhere; inf: until a person says so.");
ABSL_FLAG(absl::Duration,
          lease_grace,
          absl::Seconds(30),
          "Added to the lease before steps are placed again.");
ABSL_FLAG(absl::Duration,
          silent_after,
          absl::Seconds(20),
          "Silence after which a machine shows as NotResponding.");
ABSL_FLAG(bool,
          unknown_pool_is_default,
          false,
          "A compute name that no machine's pool has means the default pool.");
ABSL_FLAG(bool,
          forced_results_offered,
          true,
          "Later runs may take what a run with force_rerun made. Azure ML: no.");
ABSL_FLAG(std::uint32_t,
          pending_runs_per_user,
          0,
          "How many runs of one submitter may wait to begin; one more is refused. 0: no limit.");
ABSL_FLAG(std::string, log_level, "info", "trace, debug, info, warn or error.");

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "The scheduler of Potok: stores runs in PostgreSQL and assigns their steps to agents.\n\n"
      "  potok-server --home=/var/lib/potok --embedded-postgres=/var/lib/potok/postgres\n"
      "  potok-server --flagfile=/etc/potok/server.flags\n\n"
      "`potok up` starts one for this user with all it needs.");
  absl::FlagsUsageConfig usage;
  usage.version_string = [] { return std::string("potok-server " POTOK_VERSION "\n"); };
  absl::SetFlagsUsageConfig(usage);
  std::vector<std::string> arguments;
  std::vector<char*> flags = potok::FlagArguments({argv, argv + argc}, {}, arguments);
  absl::ParseCommandLine(static_cast<int>(arguments.size()), flags.data());
  potok::server::ServerConfig config;
  config.home = absl::GetFlag(FLAGS_home);
  config.database = absl::GetFlag(FLAGS_database);
  config.embedded_postgres = absl::GetFlag(FLAGS_embedded_postgres);
  config.listen = absl::GetFlag(FLAGS_listen);
  config.insecure_listen = absl::GetFlag(FLAGS_insecure_listen);
  config.http_listen = absl::GetFlag(FLAGS_http_listen);
  config.tracking_listen = absl::GetFlag(FLAGS_tracking_listen);
  config.tracking_url = absl::GetFlag(FLAGS_tracking_url);
  config.datastores = absl::GetFlag(FLAGS_datastores);
  config.artifacts = absl::GetFlag(FLAGS_artifacts);
  config.artifacts_quota = absl::GetFlag(FLAGS_artifacts_quota);
  config.disk_reserve = absl::GetFlag(FLAGS_disk_reserve);
  config.retention = absl::GetFlag(FLAGS_retention);
  config.http_bytes_max = absl::GetFlag(FLAGS_http_bytes_max);
  config.http_proxy = absl::GetFlag(FLAGS_http_proxy);
  config.http_ca_file = absl::GetFlag(FLAGS_http_ca_file);
  config.http_local_sources = absl::GetFlag(FLAGS_http_local_sources);
  config.notify_url = absl::GetFlag(FLAGS_notify_url);
  config.notify_command = absl::GetFlag(FLAGS_notify_command);
  config.notify_secret_file = absl::GetFlag(FLAGS_notify_secret_file);
  config.lease = absl::GetFlag(FLAGS_lease);
  config.lease_grace = absl::GetFlag(FLAGS_lease_grace);
  config.silent_after = absl::GetFlag(FLAGS_silent_after);
  config.unknown_pool_is_default = absl::GetFlag(FLAGS_unknown_pool_is_default);
  config.forced_results_offered = absl::GetFlag(FLAGS_forced_results_offered);
  config.pending_runs_per_user = absl::GetFlag(FLAGS_pending_runs_per_user);
  config.log_level = absl::GetFlag(FLAGS_log_level);
  config.Complete();
  absl::Status status = config.Validate();
  if (status.ok()) status = potok::InitLogging(config.log_level);
  if (!status.ok()) {
    std::fprintf(stderr, "potok-server: wrong flags:\n%s\n", std::string(status.message()).c_str());
    return 2;
  }
  potok::BlockStopSignals();
  status = potok::server::RunServer(config);
  if (status.ok()) return 0;
  std::fprintf(stderr, "potok-server: %s\n", status.ToString().c_str());
  return 1;
}
