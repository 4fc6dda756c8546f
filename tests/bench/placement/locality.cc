// bench_locality: how many bytes steps fetch with and without the knowledge of where their inputs
// are, and what that knowledge costs a decision. See docs/benchmarks.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/base/check.h"
#include "fmt/format.h"
#include "server/domain/decide.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"

namespace potok::bench {

namespace {

constexpr std::int64_t kGib = std::int64_t{1} << 30;
constexpr double kFetchBytesPerSecond = 256.0 * 1024 * 1024;
constexpr int kChainSteps = 4;
constexpr int kTrials = 16;

struct Options {
  int machines = 100;
  int gpus = 8;  // of a machine; 0: steps ask for none either
  int runs = 400;
  int sets = 50;   // of data that sweeps read
  int every = 20;  // seconds, the mean
  int time_machines = 10'000;
  std::uint64_t seed = 42;
};

Artifact FilesOf(const std::string& name, std::int64_t bytes) {
  return {DigestOf(name), true, bytes, ""};
}

server::MachineHello HelloOf(int number, int gpus) {
  server::MachineChanged facts;
  facts.name = fmt::format("m{}", number);
  facts.state_id = facts.name;
  facts.boot_id = facts.name;
  facts.capacity.cpu_millis = 64'000;
  facts.capacity.memory_bytes = 256 * kGib;
  facts.capacity.gpu_millis = gpus * kMillisOfGpu;
  for (std::int32_t i = 0; i < gpus; ++i) facts.gpus.push_back({i, "A", 40 * kGib, ""});
  return {static_cast<server::SessionId>(number + 1), facts, {}, {}};
}

Step ReaderOf(const std::string& name, int gpus) {
  Step step;
  step.name = name;
  step.command = "true";
  step.deterministic = false;
  step.resources.cpu_millis = 4000;
  step.resources.memory_bytes = 16 * kGib;
  step.resources.gpu_millis = gpus * kMillisOfGpu;
  return step;
}

Input InputOf(const std::string& name, Binding value) {
  Input input;
  input.name = name;
  input.type = ValueType::kUriFolder;
  input.value = std::move(value);
  return input;
}

std::shared_ptr<const server::Plan> PlanOf(std::vector<Step> steps) {
  PipelineSpec spec;
  spec.steps = std::move(steps);
  auto plan = server::BuildPlan(std::move(spec));
  POTOK_CHECK(plan.ok());
  return *plan;
}

// Each step reads what the one before it made.
std::shared_ptr<const server::Plan> ChainOf(int gpus) {
  std::vector<Step> steps;
  for (int i = 0; i < kChainSteps; ++i) {
    Step& step = steps.emplace_back(ReaderOf(fmt::format("s{}", i), i == 0 ? 0 : gpus));
    Output output;
    output.name = "data";
    output.type = ValueType::kUriFolder;
    step.outputs.push_back(output);
    if (i == 0) continue;
    const std::string before = fmt::format("${{{{parent.jobs.s{}.outputs.data}}}}", i - 1);
    step.inputs.push_back(InputOf("data", TextValue{before}));
  }
  return PlanOf(std::move(steps));
}

// All read the same.
std::shared_ptr<const server::Plan> TrialsOf(const Artifact& data, int gpus) {
  std::vector<Step> steps;
  for (int i = 0; i < kTrials; ++i) {
    Step& step = steps.emplace_back(ReaderOf(fmt::format("t{}", i), gpus));
    step.inputs.push_back(InputOf("data", data));
  }
  return PlanOf(std::move(steps));
}

struct Moved {
  std::int64_t wanted_bytes = 0;
  std::int64_t fetched_bytes = 0;
};

struct Outcome {
  Moved chains;
  Moved sweeps;
  double seconds = 0;           // until all had ended
  double gpu_seconds_idle = 0;  // of steps that waited for their inputs
  double micros = 0;            // a turn of the scheduler, the mean
};

// A cluster whose machines keep all that they ever had.
class Cluster {
 public:
  Cluster(const Options& options, bool knows) : options_(options), knows_(knows) {
    std::vector<server::Event> hellos;
    hellos.reserve(static_cast<std::size_t>(options.machines));
    for (int i = 0; i < options.machines; ++i) hellos.emplace_back(HelloOf(i, options.gpus));
    Turn(hellos);
  }

  Outcome Run() {
    std::mt19937_64 random(options_.seed);
    double at = 0;
    for (int i = 0; i < options_.runs; ++i) {
      at += static_cast<double>(random() % static_cast<std::uint64_t>(2 * options_.every));
      arrivals_.emplace(at, static_cast<int>(random() % 1000));
    }
    while (!arrivals_.empty() || !due_.empty()) Next();
    outcome_.seconds = now_;
    outcome_.micros = micros_ / std::max(turns_, 1);
    return outcome_;
  }

 private:
  struct Due {
    server::Report report;
    std::string machine;
    server::SessionId session = 0;
  };

  void Turn(const std::vector<server::Event>& events) {
    if (!knows_) state_.holdings = server::Holdings();
    const auto begin = std::chrono::steady_clock::now();
    const server::Decision decision =
        server::DecideTurn(state_, events, absl::UnixEpoch() + absl::Seconds(now_), {});
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    micros_ += took.count();
    ++turns_;
    for (const server::Effect& effect : decision.effects) {
      const auto* sent = std::get_if<server::SendOrder>(&effect);
      const auto* start = sent == nullptr ? nullptr : std::get_if<server::StartOrder>(&sent->order);
      if (start != nullptr) Begin(*start);
    }
  }

  void Next() {
    const bool arrives =
        due_.empty() || (!arrivals_.empty() && arrivals_.begin()->first <= due_.begin()->first);
    if (arrives) {
      const auto [at, dice] = *arrivals_.begin();
      arrivals_.erase(arrivals_.begin());
      now_ = at;
      const std::string name = fmt::format("r{}", ++submitted_);
      const int gpus = options_.gpus == 0 ? 0 : (dice % 3 == 0 ? 4 : 1);
      const Artifact data = FilesOf(fmt::format("set {}", dice % options_.sets), 20 * kGib);
      const auto plan = dice % 2 == 0 ? ChainOf(gpus) : TrialsOf(data, gpus);
      return Turn({server::RunSubmitted{1, name, name, {}, plan, "me"}});
    }
    const auto next = due_.begin();
    now_ = next->first;
    const Due due = next->second;
    due_.erase(next);
    Turn({server::MachineReported{due.session, due.machine, {due.report}}});
  }

  void Begin(const server::StartOrder& order) {
    const server::RunRecord& run = state_.runs.at(order.key.run);
    const server::StepState& step = run.steps[order.key.index].state();
    const server::MachineId id = server::PlacementOf(step)->machine;
    const server::MachineRecord& machine = state_.machines.at(id);
    Moved& moved = run.plan->size() == kTrials ? outcome_.sweeps : outcome_.chains;
    std::int64_t fetched = 0;
    for (const server::OrderInput& input : order.inputs) {
      const auto* files = std::get_if<Artifact>(&input.value);
      if (files == nullptr) continue;
      moved.wanted_bytes += files->total_bytes;
      if (caches_[id].insert(files->digest).second) fetched += files->total_bytes;
    }
    moved.fetched_bytes += fetched;
    const double staged = static_cast<double>(fetched) / kFetchBytesPerSecond;
    const std::int32_t gpu_millis = server::RequestOf(run, order.key.index).gpu_millis;
    outcome_.gpu_seconds_idle += staged * gpu_millis / kMillisOfGpu;
    std::vector<server::OutputValue> outputs;
    for (const Output& output : run.plan->definition(order.key.index).outputs) {
      const Artifact made = FilesOf(ToString(order.key), 4 * kGib);
      caches_[id].insert(made.digest);
      outputs.push_back({output.name, made});
    }
    // The same for the same step, wherever it goes.
    std::mt19937_64 random(options_.seed + order.key.run * 100 + order.key.index);
    const double runs = 60 + static_cast<double>(random() % 540);
    const auto say = [&](double in, server::StepEvent event) {
      server::Report report{order.key, std::move(event)};
      due_.emplace(now_ + in, Due{std::move(report), machine.facts.name, machine.session});
    };
    say(staged, server::AttemptStarted{});
    say(staged + runs, server::AttemptSucceeded{std::move(outputs)});
  }

  const Options options_;
  const bool knows_;
  server::State state_;
  std::multimap<double, int> arrivals_;
  std::multimap<double, Due> due_;
  std::map<server::MachineId, std::set<Digest>> caches_;
  Outcome outcome_;
  double now_ = 0;
  double micros_ = 0;
  int turns_ = 0;
  int submitted_ = 0;
};

// Of a step that reads what so many of the machines hold: the mean time of its turn.
double MicrosOf(const Options& options, int holders) {
  server::State state;
  std::vector<server::Event> hellos;
  hellos.reserve(static_cast<std::size_t>(options.time_machines));
  for (int i = 0; i < options.time_machines; ++i) hellos.emplace_back(HelloOf(i, options.gpus));
  server::DecideTurn(state, hellos, absl::UnixEpoch(), {});
  const Artifact data = FilesOf("data", 20 * kGib);
  for (int i = 0; i < holders; ++i) {
    const int each = options.time_machines / holders;
    state.holdings.Note(static_cast<server::MachineId>(1 + i * each), data);
  }
  Step step = ReaderOf("t", options.gpus > 0 ? 1 : 0);
  if (holders >= 0) step.inputs.push_back(InputOf("data", data));
  const std::shared_ptr<const server::Plan> plan = PlanOf({step});
  const int turns = std::min(4000, 4 * options.time_machines);  // that all find room
  double micros = 0;
  for (int i = 0; i < turns; ++i) {
    const std::string name = fmt::format("r{}", i);
    const server::RunSubmitted submitted{1, name, name, {}, plan, "me"};
    const auto begin = std::chrono::steady_clock::now();
    server::DecideTurn(state, {submitted}, absl::UnixEpoch(), {});
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    micros += took.count();
  }
  return micros / turns;
}

void Print(const char* name, const Outcome& outcome) {
  fmt::print("{:<10}", name);
  for (const Moved& moved : {outcome.chains, outcome.sweeps}) {
    fmt::print(" {:>9.0f} {:>9.0f} {:>5.1f} %",
               static_cast<double>(moved.wanted_bytes) / kGib,
               static_cast<double>(moved.fetched_bytes) / kGib,
               100.0 * static_cast<double>(moved.fetched_bytes) /
                   static_cast<double>(std::max<std::int64_t>(moved.wanted_bytes, 1)));
  }
  fmt::print(
      " {:>10.0f} {:>8.0f} {:>8.1f}\n", outcome.gpu_seconds_idle, outcome.seconds, outcome.micros);
}

void Run(const Options& options) {
  fmt::print("{} machines of {} GPUs, {} runs: chains and sweeps over shared data\n",
             options.machines,
             options.gpus,
             options.runs);
  fmt::print("{:<10} {:>9} {:>9} {:>7} {:>9} {:>9} {:>7} {:>10} {:>8} {:>8}\n",
             "inputs",
             "chains:",
             "fetched,",
             "of GiB",
             "sweeps:",
             "fetched,",
             "of GiB",
             "GPU s idle",
             "s in all",
             "us/turn");
  Print("ignored", Cluster(options, false).Run());
  Print("preferred", Cluster(options, true).Run());
  if (options.time_machines == 0) return;
  fmt::print("microseconds a turn at {} machines: no inputs {:.1f}",
             options.time_machines,
             MicrosOf(options, -1));
  for (const int holders : {0, 1, 100, options.time_machines}) {
    if (holders > options.time_machines) continue;
    fmt::print(", {} hold them {:.1f}", holders, MicrosOf(options, holders));
  }
  std::puts("");
}

}  // namespace

}  // namespace potok::bench

int main(int argc, char** argv) {
  potok::bench::Options options;
  CLI::App app("How many bytes steps fetch when it counts where their inputs are, and when not");
  app.add_option("--machines", options.machines, "machines of the cluster")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--gpus", options.gpus, "GPUs of a machine")->check(CLI::Range(0, 8));
  app.add_option("--runs", options.runs, "runs that arrive")->check(CLI::Range(1, 1'000'000));
  app.add_option("--sets", options.sets, "sets of data that sweeps read")
      ->check(CLI::Range(1, 1000));
  app.add_option("--every", options.every, "seconds between two runs, the mean")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--time-machines",
                 options.time_machines,
                 "machines with which the time of a turn is measured; 0: it is not")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--seed", options.seed, "of arrivals");
  CLI11_PARSE(app, argc, argv);
  potok::bench::Run(options);
  return 0;
}
