// MLflow's tracking API as steps call it: method, path and JSON in, status and JSON out. What it
// speaks and what not: docs/tracking.md.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "server/store/tracking_store.h"
#include "server/tracking/step_token.h"
#include "server/tracking/tracking_writer.h"

namespace potok::server {

// Who calls: a step, or a person who has the server's own token and only reads.
using MlflowCaller = std::optional<StepClaim>;

struct MlflowRequest {
  std::string method;
  std::string path;  // behind /api/2.0/mlflow: "/runs/get"
  std::multimap<std::string, std::string> query;
  std::string body;
};
struct MlflowAnswer {
  int status = 200;
  std::string json;
};

// Thread-safe; blocks on the database.
class MlflowApi {
 public:
  // Both outlive this.
  MlflowApi(TrackingStore& store, TrackingWriter& writer) : store_(store), writer_(writer) {}

  MlflowAnswer Handle(const MlflowCaller& caller, const MlflowRequest& request) const;

  // MLflow's limit is a million characters for log-batch, the largest call.
  static constexpr std::size_t kBodyBytesMax = std::size_t{4} << 20;

 private:
  TrackingStore& store_;
  TrackingWriter& writer_;
};

}  // namespace potok::server
