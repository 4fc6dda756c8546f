// What steps logged, for people and as objects. Pure.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/metrics.pb.h"

namespace potok::client {

// A list with one object for each run that logs.
Value MetricsObject(const v1::ListMetricsResponse& logged);
// The metrics as a table, and below it parameters and files; a line if there is nothing.
std::string MetricsText(const v1::ListMetricsResponse& logged, const TableStyle& style = {});

Value HistoryObject(const v1::MetricHistoryResponse& history);
std::string HistoryText(const v1::MetricHistoryResponse& history,
                        absl::TimeZone zone,
                        const TableStyle& style = {});

}  // namespace potok::client
