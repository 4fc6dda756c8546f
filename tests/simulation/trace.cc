#include "tests/simulation/trace.h"

#include <vector>

#include "common/base/overloaded.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

std::string TextOf(const std::vector<AttemptKey>& keys) {
  std::string text;
  for (const AttemptKey& key : keys) text += " " + ToString(key);
  return text;
}

std::string TextOf(const std::vector<Report>& reports) {
  std::string text;
  for (const Report& report : reports) {
    const char* const word =
        std::visit(Overloaded{
                       [](const AttemptStarted&) { return "started"; },
                       [](const AttemptExited&) { return "exited"; },
                       [](const AttemptSucceeded&) { return "succeeded"; },
                       [](const AttemptFailed& e) { return NameOf(e.failure.cause); },
                       [](const AttemptStopped&) { return "stopped"; },
                       [](const auto&) { return "?"; },
                   },
                   report.event);
    text += " " + ToString(report.key) + " " + word;
  }
  return text;
}

}  // namespace

std::string TextOf(const Event& event) {
  return std::visit(
      Overloaded{
          [](const RunSubmitted& e) { return "submit " + e.name; },
          [](const CancelRequested& e) { return "cancel " + e.run; },
          [](const ResultLookedUp& e) {
            return fmt::format("result of {}.{}: {}",
                               e.step.run,
                               e.step.index,
                               e.result.has_value() ? "found" : "none");
          },
          [](const MachineHello& e) {
            return fmt::format("hello {} session {} {} live{} unacknowledged{}",
                               e.machine.name,
                               e.session,
                               e.machine.boot_id,
                               TextOf(e.live),
                               TextOf(e.unacknowledged));
          },
          [](const MachineReported& e) {
            return fmt::format("report {} session {}{}", e.machine, e.session, TextOf(e.reports));
          },
          [](const MachineHeard& e) {
            return fmt::format("heartbeat {} {}", e.machine, e.session);
          },
          [](const MachineDisconnected& e) {
            return fmt::format("disconnected {} session {}", e.machine, e.session);
          },
          [](const MachineGoodbye& e) { return "goodbye " + e.machine; },
          [](const MachineDeclaredDead& e) { return "declared dead " + e.machine; },
          [](const HoldRequested& e) { return "hold " + e.run; },
          [](const ReleaseRequested& e) { return "release " + e.run; },
          [](const MoveRequested& e) {
            return fmt::format("move {} to {}", e.run, e.priority.value_or(0));
          },
          [](const TeamEdited& e) { return "edit team " + e.name; },
          [](const Tick&) { return std::string("tick"); },
          [](const OutputsComposed& e) {
            return fmt::format("composed {} {}", e.step.run, e.step.index);
          },
          [](const MetricReported& e) {
            return fmt::format("metric {} {} {}", ToString(e.key), e.count, e.value);
          },
          [](const MachinesCordoned& e) {
            return fmt::format("{} {} until {}",
                               e.drain ? "drain" : "cordon",
                               e.machines.front(),
                               absl::FormatDuration(e.deadline));
          },
          [](const MachinesUncordoned& e) { return "uncordon " + e.machines.front(); },
          [](const PoolPut& e) { return "pool " + e.name; },
          [](const PoolDeleted& e) { return "delete pool " + e.name; },
          [](const MachinesLabeled& e) { return "label " + e.machines.front(); },
      },
      event);
}

std::string TextOf(const Effect& effect) {
  return std::visit(
      Overloaded{
          [](const SendOrder& e) {
            const auto key = std::visit([](const auto& order) { return order.key; }, e.order);
            const bool start = std::holds_alternative<StartOrder>(e.order);
            return fmt::format(
                "order {} {} session {}", start ? "start" : "stop", ToString(key), e.session);
          },
          [](const SendAck& e) {
            return fmt::format("acknowledge {} session {}", ToString(e.key), e.session);
          },
          [](const AckHeartbeat& e) {
            return fmt::format("acknowledge heartbeat {} session {}", e.sequence, e.session);
          },
          [](const SendWelcome& e) {
            return fmt::format("welcome session {} keep{}", e.session, TextOf(e.keep));
          },
          [](const CloseSession& e) {
            return fmt::format("close session {}: {}", e.session, e.why.ToString());
          },
          [](const ComposeOutputs& e) {
            return fmt::format("compose {} {}", e.step.run, e.step.index);
          },
          [](const Answer& e) { return fmt::format("answer {} {}", e.reply, e.status.ToString()); },
          [](const FindResult& e) {
            return fmt::format("find a result for {}.{}", e.step.run, e.step.index);
          },
      },
      effect);
}

}  // namespace potok::server
