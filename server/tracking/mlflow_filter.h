// The languages of MLflow's searches: "metrics.rmse < 1 and tags.kind = 'a'", "metrics.rmse DESC".
// Pure. Source: MLflow's documentation, "Search Runs".
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/tracking_store.h"

namespace potok::server {

// INVALID_ARGUMENT that says what is wrong and where.
absl::StatusOr<std::vector<TrackedCondition>> ParseFilter(const std::string& filter);
absl::StatusOr<TrackedOrder> ParseOrder(const std::string& order);

}  // namespace potok::server
