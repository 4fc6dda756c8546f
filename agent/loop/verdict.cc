#include "agent/loop/verdict.h"

#include <signal.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "agent/runtime/container.h"
#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

std::string SignalText(int signal) {
  const char* name = sigabbrev_np(signal);  // null for numbers that are no signal
  return name == nullptr ? fmt::format("signal {}", signal)
                         : fmt::format("SIG{} (signal {})", name, signal);
}

// "asked 512 MiB; its processes reached it"
std::string OutOfMemoryText(const Ended& ended, std::int64_t asked) {
  if (asked == 0) {
    return "the machine ran out of memory, and the kernel ended the command; the step asked for "
           "none: say how much it needs (resources.memory)";
  }
  const std::int64_t peak = ended.usage.peak_memory_bytes;
  const std::string reached = peak > asked ? fmt::format("its processes held {}", FormatBytes(peak))
                                           : std::string("its processes reached it");
  return fmt::format("out of memory: the step asked {} (resources.memory); {}: ask for more",
                     FormatBytes(asked),
                     reached);
}

std::string ExitText(const Ended& ended) {
  std::string text = fmt::format("the command exited with code {}", ended.code);
  if (ended.code == 127) text += ": the shell did not find a command; see the log";
  if (ended.code == 126) text += ": a command could not be executed; see the log";
  if (ended.usage.child_out_of_memory) {
    text += "; the kernel had ended one of its processes for memory: ask for more memory";
  }
  return text;
}

FailedReport FailureOf(const Ended& ended, std::int64_t memory_bytes) {
  FailedReport failure{.code = ended.code, .log_bytes = ended.log_bytes};
  switch (ended.cause) {
    case EndCause::kExit:
      failure.cause = FailureCause::kExitCode;
      failure.message = ExitText(ended);
      break;
    case EndCause::kSignal:
      failure.cause = FailureCause::kSignal;
      failure.message = fmt::format("the command was ended by {}", SignalText(ended.code));
      break;
    case EndCause::kOutOfMemory:
      failure.cause = FailureCause::kOutOfMemory;
      failure.message = OutOfMemoryText(ended, memory_bytes);
      break;
    case EndCause::kTimeout:
      failure.cause = FailureCause::kTimeout;
      failure.message = "the command ran longer than its time limit (limits.timeout)";
      break;
    case EndCause::kLease:
      failure = LeaseFailure(failure.log_bytes);
      break;
    case EndCause::kStartFailed:
      failure.cause = FailureCause::kStart;
      failure.message = ended.message;
      break;
    case EndCause::kStopped:
    case EndCause::kLost:
      failure.cause = FailureCause::kMachineLost;
      failure.message = "its processes were gone after a restart of the machine or the agent";
      break;
  }
  return failure;
}

}  // namespace

ProcessEnded Judge(const Ended& ended, std::int64_t memory_bytes) {
  ProcessEnded judged;
  // Nothing is known of what is lost, and nothing was used where nothing was started.
  if (ended.usage != Usage{}) judged.usage = ended.usage;
  judged.log_bytes = ended.log_bytes;
  judged.was_stopped = ended.cause == EndCause::kStopped;
  if (!judged.was_stopped && (ended.cause != EndCause::kExit || ended.code != 0)) {
    judged.failure = FailureOf(ended, memory_bytes);
  }
  return judged;
}

ProcessEnded JudgeInside(Ended ended, std::int64_t memory_bytes) {
  constexpr int kSignalled = 128;
  const bool killed = ended.cause == EndCause::kExit && ended.code == kSignalled + SIGKILL;
  if (killed && ended.usage.child_out_of_memory) {
    ended.cause = EndCause::kOutOfMemory;
    ended.code = SIGKILL;
  }
  const bool may_be_signal = ended.cause == EndCause::kExit && ended.code > kSignalled &&
                             sigabbrev_np(ended.code - kSignalled) != nullptr;
  ProcessEnded judged = Judge(ended, memory_bytes);
  if (may_be_signal && judged.failure) {
    judged.failure->message +=
        fmt::format(" (128 + {}: a signal may have ended it)", ended.code - kSignalled);
  }
  return judged;
}

void TellEngineFailure(const std::string& log, FailedReport* failure) {
  if (failure->cause != FailureCause::kExitCode || failure->code < 125 || failure->code > 127)
    return;
  constexpr std::streamoff kEndBytes = 2048;
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(size - kEndBytes, 0));
  std::stringstream end;
  end << file.rdbuf();
  const std::string words = WordsOfEnd(failure->code, end.str());
  if (words.empty()) return;
  failure->cause = FailureCause::kStart;
  failure->code = 0;
  const std::string advice = AdviceOn(words);
  failure->message = "the container could not be run: " + words;
  if (!advice.empty()) failure->message += "; " + advice;
}

ProcessEnded JudgeLost(std::int64_t log_bytes) {
  Ended ended;
  ended.cause = EndCause::kLost;
  ended.log_bytes = log_bytes;
  return Judge(ended, 0);
}

}  // namespace potok::agent
