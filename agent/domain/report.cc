#include "agent/domain/report.h"

#include "common/base/overloaded.h"

namespace potok::agent {
bool IsTerminal(const ReportEvent& event) {
  return !std::holds_alternative<StartedReport>(event) &&
         !std::holds_alternative<ExitedReport>(event);
}

std::int64_t LogBytesOf(const ReportEvent& event) {
  return std::visit(Overloaded{[](const StartedReport&) { return std::int64_t{0}; },
                               [](const ExitedReport&) { return std::int64_t{0}; },
                               [](const auto& terminal) { return terminal.log_bytes; }},
                    event);
}

}  // namespace potok::agent
