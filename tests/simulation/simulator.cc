#include "tests/simulation/simulator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/check.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "tests/server/domain/builders.h"

namespace potok::server {

namespace {

constexpr std::array kUsers = {"ann", "bob", "cyd"};
constexpr int kFaultySteps = 150;
constexpr int kCalmStepsMax = 2000;
constexpr absl::Duration kStepLongest = absl::Milliseconds(400);

// Makes it a loop or a sweep of one or two steps, which promote what the last of them makes.
void MakeControl(Random& random, potok::Step* step) {
  auto control = std::make_shared<Control>();
  const std::uint32_t kind = random.Below(3);
  if (kind == 0) {
    DoWhile loop;
    loop.condition = "true";
    loop.max_iterations = static_cast<std::int32_t>(1 + random.Below(3));
    control->kind = loop;
  } else if (kind == 1) {
    Input items;
    items.name = kItemsInput;
    items.value = TextValue{random.Chance(100) ? "[]" : R"([{"i": 1}, {"i": 2}, {"i": 3}])"};
    step->inputs.push_back(items);
    Input of_item;
    of_item.name = "i";
    of_item.type = ValueType::kInteger;
    step->inputs.push_back(of_item);
    control->kind = ParallelFor{static_cast<std::int32_t>(random.Below(3))};
  } else {
    Sweep sweep;
    sweep.algorithm = random.Chance(500) ? "random" : "bayesian";
    if (random.Chance(500)) {
      sweep.early_termination.policy = "bandit";
      sweep.early_termination.slack_amount = 30;
    }
    if (random.Chance(200)) sweep.timeout_seconds = 5;
    sweep.primary_metric = "loss";
    sweep.max_total_trials = static_cast<std::int32_t>(1 + random.Below(3));
    sweep.max_concurrent_trials = static_cast<std::int32_t>(random.Below(3));
    control->kind = sweep;
  }
  potok::Step body = *step;
  body.name = "b0";
  body.inputs.clear();
  body.depends_on.clear();
  body.when.clear();
  control->body.push_back(body);
  if (random.Chance(500)) {
    body.name = "b1";
    body.depends_on = {"b0"};
    control->body.push_back(body);
  }
  control->body.back().outputs.front().promoted_to = "out";
  step->command.clear();
  step->control = std::move(control);
}

// What decides when, and how often, it runs.
void Complicate(Random& random, std::uint32_t number, potok::Step* step) {
  if (random.Chance(200)) {
    step->retry.max_attempts = static_cast<std::int32_t>(2 + random.Below(2));
    step->retry.delay_seconds = random.Below(3);
    if (step->resources.memory_bytes > 0 && random.Chance(700)) step->retry.memory_factor = 1.7;
  }
  if (random.Chance(50)) step->queue_timeout_seconds = 5;
  if (number == 0 || !random.Chance(150)) return;
  const char* const kRules[] = {"all_done", "one_failed", "none_failed", "succeeded(s0)"};
  step->when = kRules[random.Below(4)];
}

// What every machine of the simulation has, and not for two such steps at a time.
void AskForMachine(Random& random, potok::Step* step) {
  if (random.Chance(400)) {
    const std::int32_t kMillis[] = {1, 250, 500, 600, 999, 1000, 2000};
    step->resources.gpu_millis = kMillis[random.Below(7)];
    const bool is_of_one = step->resources.gpu_millis <= 1000;
    if (is_of_one && random.Chance(300)) step->gpu_models = {"A100", "H100"};
    if (is_of_one && random.Chance(200)) step->gpu_memory_bytes = 20;
  }
  if (random.Chance(150)) step->resources.named["fpga"] = 1;
  if (random.Chance(100)) step->resources.disk_bytes = 6;
  if (random.Chance(500)) step->compute = kPoolOfSimulation;
  if (random.Chance(600)) step->preemptible = random.Chance(800);
  if (random.Chance(100)) step->label_expression = "gpu.model == A100 && name in (m0, m1, m2)";
}

// Two members, for which there is room on a single machine.
void MakeGang(potok::Step* step) {
  step->instance_count = 2;
  step->resources.gpu_millis = std::min(step->resources.gpu_millis, 1000);
  step->resources.memory_bytes =
      std::min(step->resources.memory_bytes, std::int64_t{8} << 30);  // of 16 GiB
  step->resources.named.clear();
  step->resources.disk_bytes = 0;
  step->gpu_models.clear();
  step->gpu_memory_bytes = 0;
}

// It wants the pool that all of a crowded seed want, and may be stopped for others.
void Crowd(potok::Step* step) {
  step->compute = kPoolOfSimulation;
  step->preemptible = true;
  step->label_expression.clear();
}

// A random pipeline: each step may need the value of an earlier one, surely or perhaps, or only
// its end.
std::shared_ptr<const Plan> RandomPlan(Random& random, bool crowded) {
  PipelineSpec spec;
  spec.settings.continue_on_step_failure = random.Chance(600);
  if (random.Chance(200)) {
    spec.settings.max_running_steps = static_cast<std::int32_t>(1 + random.Below(3));
  }
  const std::uint32_t steps = 1 + random.Below(5);
  for (std::uint32_t i = 0; i < steps; ++i) {
    potok::Step step;
    step.name = fmt::format("s{}", i);
    step.command = fmt::format("true {}", random.Below(4));
    step.deterministic = random.Chance(700);
    AskForMachine(random, &step);
    if (crowded) Crowd(&step);
    if (random.Chance(400)) step.resources.memory_bytes = std::int64_t{1 + random.Below(12)} << 30;
    if (random.Chance(300)) step.priority = static_cast<std::int32_t>(random.Below(5)) - 2;
    Output output;
    output.name = "out";
    output.type = ValueType::kString;
    step.outputs.push_back(output);
    for (std::uint32_t upstream = 0; upstream < i; ++upstream) {
      const std::string name = fmt::format("s{}", upstream);
      if (random.Chance(200)) step.depends_on.push_back(name);
      if (!random.Chance(300)) continue;
      Input input;
      input.name = "from_" + name;
      input.type = ValueType::kString;
      input.optional = random.Chance(400);
      input.value = TextValue{"${{parent.jobs." + name + ".outputs.out}}"};
      step.inputs.push_back(input);
    }
    const std::int32_t limit = spec.settings.max_running_steps;
    if (limit != 1 && random.Chance(120)) MakeGang(&step);
    Complicate(random, i, &step);
    if (random.Chance(150)) MakeControl(random, &step);
    spec.steps.push_back(step);
  }
  if (random.Chance(100)) {
    spec.steps.push_back(spec.steps.front());
    spec.steps.back().name = "last";
    spec.steps.back().finalizes = true;
  }
  auto plan = RebuildPlan(std::move(spec));
  POTOK_CHECK(plan.ok());
  return *std::move(plan);
}

}  // namespace

Simulator::Simulator(std::uint64_t seed, Break broken, bool trace)
    : random_(seed),
      broken_(broken),
      trace_(trace),
      crowded_(seed % 4 == 0),
      store_(&random_, &ledger_) {
  options_.silent_after = absl::Seconds(2);
  options_.lease = absl::Seconds(8);
  options_.lease_grace = absl::Seconds(2);
  // Every seed has its own mixture: one with few faults goes deeper than one with all of them.
  commit_faults_ = random_.Chance(600) ? random_.Below(300) : 0;
  server_faults_ = random_.Chance(600) ? random_.Below(50) : 0;
  machine_faults_ = random_.Chance(800) ? random_.Below(120) : 0;
  wrong_declarations_ = random_.Chance(150);
  remarks_ = random_.Chance(500) ? random_.Below(60) : 0;
  options_.losses_window = absl::Seconds(30);
  options_.quarantine = absl::Seconds(5);
  const std::uint32_t machines = 1 + random_.Below(3);
  for (std::uint32_t i = 0; i < machines; ++i) {
    machines_.push_back({FakeAgent(fmt::format("m{}", i), &random_, &ledger_, broken), {}, now_});
  }
  const std::uint32_t runs = (crowded_ ? 4 : 1) + random_.Below(4);
  for (std::uint32_t i = 0; i < runs; ++i) {
    clients_.push_back({fmt::format("run-{}", i),
                        RandomPlan(random_, crowded_),
                        kUsers[random_.Below(kUsers.size())]});
  }
}

Outcome Simulator::Run() {
  for (int i = 0; i < kFaultySteps && ledger_.violations.empty(); ++i) Step();
  EndFaults();
  for (int i = 0; i < kCalmStepsMax && ledger_.violations.empty() && !Done(); ++i) Step();
  if (ledger_.violations.empty() && !Done()) {
    Violation(fmt::format("{} of {} runs have not ended:\n{}",
                          store_.open_runs(),
                          store_.runs(),
                          StoredPartOf(state_)));
  }
  outcome_.violations = ledger_.violations;
  outcome_.runs = store_.runs();
  outcome_.results = store_.results();
  return outcome_;
}

bool Simulator::Done() const {
  for (const Client& client : clients_) {
    if (!client.answered) return false;
  }
  return store_.open_runs() == 0;
}

void Simulator::Step() {
  now_ += random_.UpTo(kStepLongest);
  if (faults_on_) CauseFaults();
  RunClients();
  for (Machine& machine : machines_) {
    if (!machine.agent.up() && now_ >= machine.returns) machine.agent.Start();
    machine.agent.Advance(now_);
  }
  RunLinks();
  if (!server_up_) {
    if (now_ >= server_returns_) StartServer();
    return;
  }
  if (now_ >= next_tick_) {
    next_tick_ = now_ + absl::Seconds(1);
    inbox_.emplace_back(Tick{});
    if (!faults_on_) LiftAll();
  }
  if (pending_.has_value()) {
    if (random_.Chance(500)) TryCommit();
  } else if (random_.Chance(800)) {
    TakeTurn();
  }
}

void Simulator::RunClients() {
  if (!server_up_) return;
  EditTeams();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    const bool asks = !client.answered && !client.asked && random_.Chance(100);
    // The claim: what is stored, or may be (a turn under way), is not submitted again.
    if (asks && store_.HasRun(client.run)) {
      client.answered = true;
    } else if (asks && !pending_.has_value()) {
      client.asked = true;
      RunSubmitted submitted{i, client.run, client.run, {}, client.plan, client.user};
      submitted.after = SomePredecessors(i);
      inbox_.emplace_back(std::move(submitted));
    }
    if (client.answered) OrderRun(client.run);
    if (client.answered && random_.Chance(2)) {
      inbox_.emplace_back(CancelRequested{clients_.size(), client.run, "by the simulation"});
    }
  }
}

// Of the runs before it that are stored: as they are looked up by whoever submits a run.
std::vector<RunSubmitted::Predecessor> Simulator::SomePredecessors(std::size_t client) {
  std::vector<RunSubmitted::Predecessor> after;
  for (std::size_t i = 0; i < client; ++i) {
    const auto found = store_.FindRun(clients_[i].run);
    if (!found.has_value() || !random_.Chance(250)) continue;
    after.push_back({{found->first, clients_[i].run, random_.Chance(400)}, std::nullopt});
    if (IsTerminal(found->second)) after.back().ended = found->second;
  }
  return after;
}

// People hold, release and move it; in the end nobody holds it.
void Simulator::OrderRun(const std::string& run) {
  const ReplyToken nobody = clients_.size();
  if (faults_on_ && random_.Chance(10)) {
    inbox_.emplace_back(HoldRequested{nobody, run, "a person", "by the simulation"});
  } else if (random_.Chance(faults_on_ ? 20 : 200)) {
    inbox_.emplace_back(ReleaseRequested{nobody, run});
  }
  if (random_.Chance(10)) {
    const auto priority = static_cast<std::int32_t>(random_.Below(5)) - 2;
    inbox_.emplace_back(MoveRequested{nobody, run, priority, std::nullopt});
  }
  if (!random_.Chance(4)) return;
  const std::string pool = random_.Chance(500) ? kPoolOfSimulation : "";
  inbox_.emplace_back(MoveRequested{nobody, run, std::nullopt, pool});
}

// People make teams, change and remove them. In the end each may have what its largest step needs,
// one at a time at least.
void Simulator::EditTeams() {
  if (!random_.Chance(faults_on_ ? 30 : 100)) return;
  const std::array kTeams = {kDefaultTeam, "red", "blue"};
  TeamEdited edited;
  edited.reply = clients_.size();
  edited.name = kTeams[random_.Below(kTeams.size())];
  const bool is_made = state_.teams.contains(edited.name);
  if (!is_made) edited.kind = TeamEdited::Kind::kCreate;
  if (is_made && random_.Chance(100)) edited.kind = TeamEdited::Kind::kDelete;
  const std::uint32_t least = faults_on_ ? 0 : 2;
  TeamEdit& edit = edited.edit;
  edit.weight = 1 + random_.Below(3);
  edit.half_life = absl::Seconds(random_.Below(3) * 10);
  edit.cpu_millis_max = random_.Chance(300) ? kNoLimit : 1000 * (least + random_.Below(4));
  edit.gpu_millis_max = random_.Chance(300) ? kNoLimit : 1000 * (least + random_.Below(2));
  edit.running_steps_max = random_.Chance(300) ? kNoLimit : least + random_.Below(3);
  edit.user_running_steps_max = random_.Chance(500) ? kNoLimit : least + random_.Below(3);
  if (edit.gpu_millis_max != 0) edit.gpu_millis_guaranteed = 500 * random_.Below(3);
  if (edit.cpu_millis_max != 0) edit.cpu_millis_guaranteed = 1000 * random_.Below(2);
  if (crowded_) {
    edit.cpu_millis_max = edit.gpu_millis_max = kNoLimit;
    edit.running_steps_max = edit.user_running_steps_max = kNoLimit;
    edit.cpu_millis_guaranteed = 1000;
  }
  if (random_.Chance(300)) {
    PoolShareEdit in_pool{random_.Chance(700) ? kPoolOfSimulation : kDefaultTeam};
    if (!crowded_) {
      in_pool.cpu_millis_max = random_.Chance(500) ? kNoLimit : 1000 * (least + random_.Below(4));
      in_pool.gpu_millis_max = random_.Chance(500) ? kNoLimit : 1000 * (least + random_.Below(2));
      in_pool.running_steps_max = random_.Chance(500) ? kNoLimit : least + random_.Below(3);
    }
    in_pool.cpu_millis_guaranteed = 1000 * random_.Below(2);
    edit.pools.push_back(in_pool);
  }
  if (edited.name != kDefaultTeam && random_.Chance(crowded_ ? 800 : 300)) {
    edit.add_users.emplace_back(kUsers[random_.Below(kUsers.size())]);
  }
  inbox_.emplace_back(std::move(edited));
}

void Simulator::RunLinks() {
  for (Machine& machine : machines_) {
    Link& link = machine.link;
    if (link.session != machine.agent.session()) {
      // The agent hung up; what it had said may still arrive, late.
      for (const Event& event : link.up) {
        if (server_up_ && random_.Chance(500)) inbox_.push_back(event);
      }
      if (server_up_) inbox_.emplace_back(MachineDisconnected{link.session, machine.agent.name()});
      link = {};
    }
    if (link.session == 0 && machine.agent.up() && server_up_ && random_.Chance(300)) {
      link.session = next_session_++;
      machine.agent.Connect(link.session, now_);
    }
    for (Event& event : machine.agent.TakeOutbox()) link.up.push_back(std::move(event));
    while (server_up_ && !link.up.empty() && now_ >= link.up_stalled_until) {
      Hear(link.up.front());
      link.up.pop_front();
    }
    while (!link.down.empty() && now_ >= link.down_stalled_until) {
      const DownMessage message = std::move(link.down.front());
      link.down.pop_front();
      Deliver(machine, message);
    }
  }
}

void Simulator::Deliver(Machine& machine, const DownMessage& message) {
  machine.agent.Receive(message, now_);
  if (!std::holds_alternative<SendWelcome>(message)) return;
  for (const AttemptKey& key : machine.agent.Alive()) {
    const StepMoved* row = store_.FindStep(key.step());
    const bool wanted =
        row != nullptr && row->attempt == key.attempt && PlacementOf(row->state) != nullptr;
    if (!wanted) Violation(ToString(key) + " is alive after the welcome, and unwanted");
  }
}

Simulator::Machine* Simulator::FindMachine(SessionId session) {
  for (Machine& machine : machines_) {
    if (machine.link.session == session) return &machine;
  }
  return nullptr;
}

void Simulator::Violation(const std::string& text) {
  ledger_.violations.push_back(text);
}

void Simulator::Trace(const std::string& text) const {
  if (trace_) fmt::print(stderr, "{} {}\n", absl::ToUnixMillis(now_) % 10'000'000, text);
}

}  // namespace potok::server
