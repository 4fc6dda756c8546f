// The whole cluster as lines of a screen. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/follow/live_block.h"
#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// A run in progress. The counts are -1 when they were not asked for.
struct RunLoad {
  v1::Run run;
  int queued = -1;       // steps that wait for a machine
  int not_started = -1;  // steps that wait for others
};

struct Cluster {
  std::string server;
  std::vector<v1::Machine> machines;
  std::vector<RunLoad> runs;  // newest first
};

// What machines have and use, the runs in progress with their queues, and the steps on machines: at
// most `rows` - 1 lines of at most `columns` columns, of which each part gets its share.
std::vector<std::string> ClusterFrame(const Cluster& cluster,
                                      absl::Time now,
                                      absl::TimeZone zone,
                                      const Screen& screen);

// The counts of a run with its steps.
RunLoad LoadOf(const v1::Run& run);

}  // namespace potok::client
