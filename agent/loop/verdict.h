// What the end of an attempt's processes means. Pure.
#pragma once

#include "agent/domain/attempt.h"
#include "agent/executor/executor.h"

namespace potok::agent {

// `ended.log_bytes` are what is stored of the log. With one line for the user where it is a
// failure. Whether there is anything to store is for the caller to find out. `memory_bytes` are
// what the step asked for, 0 for none.
ProcessEnded Judge(const Ended& ended, std::int64_t memory_bytes);

// The same of a command in a sandbox or container, whose own process ends with code 128 + N where
// signal N ended the command. A code that a command could have ended with by itself is taken for
// its own, but for that of SIGKILL where the kernel had ended something for memory.
ProcessEnded JudgeInside(Ended ended, std::int64_t memory_bytes);

// Where it was not the command that failed but podman or docker, the failure becomes one to start,
// in their words, which are the last of the log. Reads the log's end.
void TellEngineFailure(const std::string& log, FailedReport* failure);

// Of processes that are gone with all they could have said.
ProcessEnded JudgeLost(std::int64_t log_bytes);

}  // namespace potok::agent
