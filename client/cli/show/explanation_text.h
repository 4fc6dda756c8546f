// Why steps ran or were reused, for people and as an object. Pure.
#pragma once

#include <string>

#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

enum class Tense {
  kPast,    // of a run
  kFuture,  // of a pipeline that is not submitted
};

// A line for each step, and below it what differs from the nearest earlier result.
std::string ExplanationText(const v1::ExplainResponse& response, Tense tense);

// A list of steps.
Value ExplanationObject(const v1::ExplainResponse& response);

}  // namespace potok::client
