// MLflow's REST API on an HTTP server: /api/2.0/mlflow/... for calls, and
// /api/2.0/mlflow-artifacts/... for files.
#pragma once

#include "server/http/tracking_sources.h"

namespace httplib {
class Server;
}

namespace potok::server {

class Access;

// Before the routes that take everything. Callers have a step's token, or the server's own, which
// reads (none does if `access` is null). All outlive the server.
void AddMlflowRoutes(httplib::Server& server, TrackingSources sources, const Access* access);

}  // namespace potok::server
