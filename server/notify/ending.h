// How a run ended, as those hear it who are notified. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/pipeline/webhooks.h"
#include "server/domain/change.h"

namespace potok::server {

struct FailedStep {
  std::string name;
  std::string reason;
};

// Times are Unix microseconds, 0: never.
struct Ending {
  RunId id = 0;
  std::string run;
  std::string display_name;
  std::string experiment;
  std::string status;  // Completed, Failed or Canceled
  std::string reason;
  std::string submitter;
  std::int64_t created_us = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t steps_total = 0;
  std::int64_t steps_completed = 0;
  std::int64_t steps_failed = 0;
  std::int64_t steps_canceled = 0;
  std::vector<FailedStep> failed_steps;  // the first few, in the order of the pipeline
  Webhooks webhooks;                     // of the run itself
};

// So many failed steps are told.
inline constexpr std::size_t kFailedStepsTold = 10;

}  // namespace potok::server
