// What listens: gRPC and HTTP.
#pragma once

#include <grpcpp/grpcpp.h>
#include <prometheus/registry.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "server/config.h"
#include "server/http/access.h"
#include "server/http/http_server.h"
#include "server/http/tracking_port.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/agents_service.h"
#include "server/rpc/artifacts_service.h"
#include "server/rpc/machines_service.h"
#include "server/rpc/metrics_service.h"
#include "server/rpc/notifications_service.h"
#include "server/rpc/pools_service.h"
#include "server/rpc/registry_service.h"
#include "server/rpc/runs_service.h"
#include "server/rpc/teams_service.h"

namespace potok::server {

// The gRPC side.
struct Services {
  std::unique_ptr<RunsService> runs;
  std::unique_ptr<MachinesService> machines;
  std::unique_ptr<PoolsService> pools;
  std::unique_ptr<AgentsService> agents;
  std::unique_ptr<AdminService> admin;
  std::unique_ptr<ArtifactsService> artifacts;
  std::unique_ptr<RegistryService> registry;
  std::unique_ptr<MetricsService> metrics;
  std::unique_ptr<NotificationsService> notifications;
  std::unique_ptr<TeamsService> teams;
  std::vector<std::unique_ptr<grpc::Service>> storage;
};

// The ports of HTTP, open before agents can connect, since orders tell their addresses.
struct HttpPorts {
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<TrackingPort> tracking;  // may be none
};

// What listens. When `started` is an error the rest may be there all the same, and is closed.
struct Front {
  absl::Status started;
  std::unique_ptr<grpc::Server> grpc;
  HttpPorts http;
};

// What is served. All outlive the front but `registry`, which it shares.
struct FrontParts {
  const Services& services;
  std::shared_ptr<prometheus::Registry> registry;
  Scheduler& scheduler;
  Access& access;
  const TrackingSources& tracking;
};

// HTTP before gRPC: orders tell steps where to log, so `offered` hears the address before agents
// can connect.
Front OpenFront(const ServerConfig& config, const FrontParts& parts, StepTracking& offered);

}  // namespace potok::server
