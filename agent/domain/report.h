// What the agent tells the server of an attempt, as plain values; the wire form is potok.v1.Report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/attempt.h"
#include "common/base/usage.h"
#include "common/pipeline/spec.h"

namespace potok::agent {

// The same words, in the same order, as potok.v1.AttemptFailed.Cause.
enum class FailureCause {
  kExitCode = 1,
  kSignal,
  kOutOfMemory,
  kTimeout,
  kInput,
  kOutput,
  kStart,
  kLease,
  kMachineLost,
};

struct OutputValue {
  std::string name;
  std::variant<Artifact, std::string> value;  // files, or the text of a primitive output
  bool operator==(const OutputValue&) const = default;
};

struct StartedReport {
  bool operator==(const StartedReport&) const = default;
};
struct ExitedReport {
  bool operator==(const ExitedReport&) const = default;
};
struct SucceededReport {
  std::vector<OutputValue> outputs = {};
  std::int64_t log_bytes = 0;
  std::optional<Usage> usage = {};  // absent: its command did not run
  bool operator==(const SucceededReport&) const = default;
};
struct FailedReport {
  FailureCause cause = FailureCause::kExitCode;
  int code = 0;  // exit code, or signal number
  std::string message = {};
  std::int64_t log_bytes = 0;
  std::optional<Usage> usage = {};
  bool operator==(const FailedReport&) const = default;
};
struct StoppedReport {
  std::int64_t log_bytes = 0;
  std::optional<Usage> usage = {};
  bool operator==(const StoppedReport&) const = default;
};

using ReportEvent =
    std::variant<StartedReport, ExitedReport, SucceededReport, FailedReport, StoppedReport>;

struct Report {
  AttemptKey key;
  ReportEvent event;
  std::string runtime = {};  // as in potok.v1.Report
  bool operator==(const Report&) const = default;
};

// True if nothing can follow it: it is kept until acknowledged.
bool IsTerminal(const ReportEvent& event);

// What the server will have stored when the log is whole.
std::int64_t LogBytesOf(const ReportEvent& event);

}  // namespace potok::agent
