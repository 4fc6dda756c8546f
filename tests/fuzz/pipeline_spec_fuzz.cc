// A pipeline as it arrives: read, validated, planned, and its steps ordered and rendered as a
// machine would have them.
#include "agent/domain/step_command.h"
#include "agent/link/wire.h"
#include "common/pipeline/validate.h"
#include "common/rpc/pipeline_convert.h"
#include "server/domain/decide.h"
#include "server/domain/placement.h"
#include "server/rpc/convert.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

// One that holds every step there can be.
server::MachineHello Machine() {
  server::MachineHello hello;
  hello.session = 1;
  hello.machine.name = "gpu-1";
  hello.machine.capacity = {std::int64_t{1} << 50, 1'000'000'000, 8000};
  for (std::int32_t i = 0; i < 8; ++i) hello.machine.gpus.push_back({i, "H100", 1 << 30, "uuid"});
  return hello;
}

// The order reaches the machine whole, and the command is one for bash.
void CheckOrder(const server::SendOrder& order) {
  v1::ServerMessage message;
  *message.mutable_orders()->add_orders() = server::ToProto(order);
  const auto* start = std::get_if<server::StartOrder>(&order.order);
  if (start == nullptr) return;
  const std::vector<agent::ServerWord> words = agent::WordsOf(message);
  const auto* read = words.empty() ? nullptr : std::get_if<agent::StartOrder>(words.data());
  POTOK_CHECK(read != nullptr && read->order.command == start->command);
  const auto nowhere = [](const std::string&, const std::string&) { return std::nullopt; };
  agent::RenderStep(read->order, agent::AttemptPaths("/attempt"), {}, nowhere).IgnoreError();
}

void CheckRun(const std::shared_ptr<const server::Plan>& plan) {
  const server::DecideOptions options{.unknown_pool_is_default = true};
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  server::State state;
  const server::RunSubmitted submitted{1, "run", "request", {}, plan, "somebody"};
  const server::Decision decision = DecideTurn(state, {Machine(), submitted}, now, options);
  POTOK_CHECK(CheckInvariants(state).empty());
  CheckSatisfiable(state, *plan, options).IgnoreError();
  for (const server::QueuePlace& place : state.queued.All())
    ExplainWaiting(state, place.step, options);
  for (const server::Effect& effect : decision.effects) {
    if (const auto* order = std::get_if<server::SendOrder>(&effect)) CheckOrder(*order);
  }
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  v1::PipelineSpec message;
  if (!ReadMessage(TextOf(data, size), &message)) return 0;
  auto spec = FromProto(message);
  if (!spec.ok()) return 0;
  // What was read and written once stays as it is.
  const auto again = FromProto(ToProto(*spec));
  POTOK_CHECK(again.ok());
  bool is_valid = true;
  for (const Problem& problem : Validate(*spec)) {
    POTOK_CHECK(!problem.message.empty());
    is_valid = is_valid && problem.severity == Severity::kWarning;
  }
  is_valid = is_valid && CheckRunnable(*spec).ok();
  const auto plan = server::BuildPlan(*std::move(spec));
  POTOK_CHECK(plan.ok() == is_valid);
  if (is_valid) CheckRun(*plan);
  return 0;
}
