#include "server/domain/gang.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// Below the ports that systems give to whoever asks for any.
constexpr std::int32_t kFirstPort = 20'000;
constexpr std::int32_t kPorts = 10'000;

// What all members are alike in. What concerns the step as a whole is the control step's.
Step MemberOf(const Step& step) {
  Step member = step;
  for (Input& input : member.inputs) {
    input.value = TextValue{"${{parent.inputs." + input.name + "}}"};
    input.min.reset();  // checked of the control step's
    input.max.reset();
    input.choices.clear();
  }
  for (Output& output : member.outputs) {
    output.path.clear();
    output.promoted_to.clear();
    output.asset_name.clear();
    output.asset_version.clear();
  }
  member.depends_on.clear();
  member.when.clear();
  member.finalizes = false;
  member.retry = {};
  member.reuse.enabled = false;
  return member;
}

void FormGang(Step* step) {
  auto control = std::make_shared<Control>();
  control->kind = Gang{};
  const Step member = MemberOf(*step);
  control->body.reserve(static_cast<std::size_t>(step->instance_count));
  for (std::int32_t rank = 0; rank < step->instance_count; ++rank) {
    control->body.push_back(member);
    control->body.back().name = fmt::format("rank{}", rank);
  }
  step->control = std::move(control);
}

// Where a member is or was, or 0.
MachineId MachineOf(const StepState& state) {
  if (const Placement* placement = PlacementOf(state)) return placement->machine;
  if (const auto* succeeded = std::get_if<Succeeded>(&state)) return succeeded->machine;
  if (const auto* failed = std::get_if<Failed>(&state)) return failed->machine;
  return 0;
}

std::string HostOf(const State& state, MachineId id) {
  const auto machine = state.machines.find(id);
  if (machine == state.machines.end()) return "";
  const auto address = machine->second.labels.find("address");
  const bool is_known = address != machine->second.labels.end() && !address->second.empty();
  return is_known ? address->second : machine->second.facts.name;
}

}  // namespace

void FormGangs(std::vector<Step>* steps) {
  for (Step& step : *steps) {
    if (step.control == nullptr) {
      if (step.instance_count > 1) FormGang(&step);
    } else if (!step.control->body.empty()) {
      auto control = std::make_shared<Control>(*step.control);
      FormGangs(&control->body);
      step.control = std::move(control);
    }
  }
}

std::optional<Membership> MembershipOf(const Plan& plan, std::uint32_t index) {
  const Segment& segment = plan.SegmentOf(index);
  if (!segment.control.has_value()) return std::nullopt;
  const std::shared_ptr<const Control>& control = plan.definition(*segment.control).control;
  if (control == nullptr || !std::holds_alternative<Gang>(control->kind)) return std::nullopt;
  const auto size = static_cast<std::uint32_t>(segment.steps.size());
  return Membership{*segment.control, segment.first, size, index - segment.first};
}

absl::StatusOr<GangFacts> GangFactsOf(const State& state,
                                      const RunRecord& run,
                                      std::uint32_t index) {
  const std::optional<Membership> member = MembershipOf(*run.plan, index);
  if (!member.has_value()) return absl::FailedPreconditionError("it runs on one machine");
  GangFacts facts;
  facts.rank = static_cast<std::int32_t>(member->rank);
  // Members of attempts that go on at the same time on one machine rarely share a port, and an
  // attempt never has that of the one before it.
  const std::int64_t spread = run.id * 131 + std::int64_t{member->first} * 7;
  facts.port = kFirstPort + static_cast<std::int32_t>(spread % kPorts);
  for (std::uint32_t i = member->first; i < member->first + member->size; ++i) {
    std::string host = HostOf(state, MachineOf(run.steps[i].state()));
    if (host.empty()) {
      return absl::FailedPreconditionError(fmt::format("'{}' has no machine", run.plan->NameOf(i)));
    }
    facts.hosts.push_back(std::move(host));
  }
  // Between those of one machine nothing has to leave it.
  const bool is_one = std::ranges::all_of(
      facts.hosts, [&](const std::string& host) { return host == facts.hosts.front(); });
  if (is_one) std::ranges::fill(facts.hosts, std::string("127.0.0.1"));
  return facts;
}

}  // namespace potok::server
