// The process_* metrics of the Prometheus conventions, which prometheus-cpp 1.0.1 does not collect.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace potok::server {

// Reads /proc/self at each scrape. Thread-safe.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace potok::server
