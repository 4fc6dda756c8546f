// The decision core under agents that say anything: two machines' messages of protobuf's text
// format, parted by lines "%%", against a run of four steps. Each message is a turn of its own.
#include <optional>

#include "fmt/format.h"
#include "server/domain/decide.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "server/journal/codec.h"
#include "server/rpc/convert.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

Step StepOf(const std::string& name, const std::string& needs) {
  Step step;
  step.name = name;
  step.command = "true";
  step.resources = {1 << 30, 1000, name == "c" ? 1 : 0};
  if (!needs.empty()) step.depends_on = {needs};
  return step;
}

std::shared_ptr<const Plan> FourSteps() {
  PipelineSpec spec;
  spec.steps = {StepOf("a", ""), StepOf("b", "a"), StepOf("c", "b"), StepOf("d", "")};
  return BuildPlan(spec).value();
}

// As server/rpc/switchboard makes events of messages. Nothing for what ends the stream.
std::optional<Event> EventOf(const v1::AgentMessage& message, SessionId session) {
  const std::string machine = session % 2 == 0 ? "one" : "two";
  if (message.has_hello()) {
    auto hello = FromProto(message.hello(), session);
    if (!hello.ok()) return std::nullopt;
    return *std::move(hello);
  }
  if (message.has_heartbeat())
    return MachineHeard{session, machine, message.heartbeat().sequence()};
  if (message.has_goodbye()) return MachineGoodbye{session, machine};
  MachineReported reported{session, machine, {}};
  for (const v1::Report& report : message.reports().reports()) {
    auto converted = FromProto(report);
    if (!converted.ok()) return std::nullopt;
    reported.reports.push_back(*std::move(converted));
  }
  return reported;
}

class Turns {
 public:
  void Take(Event event) {
    const Decision decision = DecideTurn(state_, {std::move(event), Tick{}}, now_, {});
    now_ += absl::Seconds(7);
    CheckBooks();
    POTOK_CHECK(Decode(Encode(decision.changes)).ok());
    for (const Effect& effect : decision.effects) {
      if (const auto* order = std::get_if<SendOrder>(&effect)) ToProto(*order);
    }
    for (const QueuePlace& place : state_.queued.All()) ExplainWaiting(state_, place.step, {});
    MachinesToProto(state_, Pools(state_, {}), {});
  }

 private:
  void CheckBooks() const {
    for (const std::string& problem : CheckInvariants(state_)) {
      // A machine may come back smaller than what is held on it (fit.h).
      if (problem.find(" reserved of ") != std::string::npos) continue;
      fmt::print(stderr, "{}\n", problem);
      POTOK_CHECK(false && "an invariant is broken");
    }
  }

  State state_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  static const std::shared_ptr<const Plan> plan = FourSteps();
  const std::string text = TextOf(data, size);
  const std::string mark = "%%\n";
  Turns turns;
  turns.Take(RunSubmitted{1, "run", "request", {}, plan, ""});
  SessionId session = 0;
  for (std::size_t at = 0; at < text.size() && session < 100; ++session) {
    const std::size_t end = std::min(text.find(mark, at), text.size());
    v1::AgentMessage message;
    if (ReadMessage("#\n" + text.substr(at, end - at), &message)) {
      if (auto event = EventOf(message, session)) turns.Take(*std::move(event));
    }
    at = end + mark.size();
  }
  return 0;
}
