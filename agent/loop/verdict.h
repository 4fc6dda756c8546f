// What the end of an attempt's processes means. Pure.
#pragma once

#include "agent/domain/attempt.h"
#include "agent/executor/executor.h"

namespace potok::agent {

// `ended.log_bytes` are what is stored of the log. With one line for the user where it is a
// failure. Whether there is anything to store is for the caller to find out.
ProcessEnded Judge(const Ended& ended);

// Of processes that are gone with all they could have said.
ProcessEnded JudgeLost(std::int64_t log_bytes);

}  // namespace potok::agent
