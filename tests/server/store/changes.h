// Changes for tests of the store, short to write.
#pragma once

#include <string>
#include <vector>

#include "server/store/store.h"

namespace potok::server {

inline absl::Time At(std::int64_t us) {
  return absl::FromUnixMicros(us);
}

inline RunAdded ARun(RunId id, std::uint32_t steps = 3) {
  RunAdded run;
  run.id = id;
  run.name = "run-" + std::to_string(id);
  run.request_id = "request-" + std::to_string(id);
  run.spec = DigestOf(run.name);
  run.steps = steps;
  run.display_name = "Run \xff\x01 of bytes";
  run.experiment_name = id % 2 == 0 ? "even" : "odd";
  run.submitter = "ada";
  run.tags = {{"team", "vision"}};
  run.at = At(1000 + id);
  return run;
}

inline PoolChanged APool(const std::string& name) {
  PoolChanged pool;
  pool.name = name;
  pool.selector = "zone == b";
  pool.limits = {4, 8000, std::int64_t{64} << 30, 1500};
  pool.document = R"({"size": "STANDARD_D2"})";
  pool.by = "ann";
  pool.created = At(3);
  pool.at = At(4);
  pool.preemption = true;
  pool.low_priority = true;
  pool.spread = true;
  pool.lease = absl::Minutes(30);
  pool.images = PoolImages::kContainer;
  return pool;
}

inline MachineChanged AMachine(MachineId id) {
  MachineChanged machine;
  machine.id = id;
  machine.name = "gpu-" + std::to_string(id);
  machine.state_id = "state";
  machine.boot_id = "boot";
  machine.agent_version = "0.1.0";
  machine.isolation = "cgroup2";
  machine.capacity = {std::int64_t{64} << 30, 16000, 2000, std::int64_t{500} << 30, {{"fpga", 2}}};
  machine.gpus = {{0, "A100", std::int64_t{80} << 30, "GPU-0"}, {1, "A100", 1, "GPU-1"}};
  machine.labels = {{"zone", "a"}};
  machine.pools = {"gpu", "big"};
  machine.liveness = Liveness::kNotResponding;
  machine.first_seen = At(5);
  machine.at = At(6);
  machine.agent_labels = {{"zone", "b"}, {"disk", "nvme"}};
  machine.label_edits = {{"zone", {"a", "ann", "moved", At(7)}},
                         {"disk", {std::nullopt, "ann", "", At(8)}}};
  machine.lease = absl::Hours(1);
  machine.cordon = Cordon{CordonState::kDraining, At(90), "ann", "a new disk \xff", At(9)};
  machine.quarantine = Quarantine{At(100), "steps were lost", At(10)};
  machine.runtimes = {"host", "sandbox"};
  return machine;
}

inline StepMoved Move(
    RunId run, std::uint32_t index, std::uint32_t attempt, StepState state, std::int64_t at_us) {
  StepMoved moved;
  moved.step = {run, index};
  moved.attempt = attempt;
  moved.state = std::move(state);
  moved.at = At(at_us);
  return moved;
}

// All but what only a running attempt has.
inline Usage SomeUsage() {
  Usage usage;
  usage.peak_memory_bytes = std::int64_t{3} << 30;
  usage.cpu_time = absl::Microseconds(12'345'678);
  usage.wall_time = absl::Seconds(20);
  usage.read_bytes = 0;
  usage.written_bytes = 4096;
  usage.gpu_utilization = 0.25;
  usage.gpu_peak_memory_bytes = 7;
  usage.child_out_of_memory = true;
  usage.fetched_bytes = 0;
  usage.found_bytes = std::int64_t{13} << 30;
  return usage;
}

inline Placement On(MachineId machine) {
  return {machine, {0, 1}};
}

// Outputs of both kinds.
inline std::vector<OutputValue> SomeOutputs() {
  Artifact artifact;
  artifact.digest = DigestOf("model");
  artifact.is_folder = true;
  artifact.total_bytes = 17;
  artifact.file_name = "model.bin";
  return {{"model", artifact}, {"accuracy", std::string("0.93\n\xff")}};
}

// One of each state.
inline std::vector<StepState> AllStates() {
  return {Blocked{},
          Queued{},
          Assigned{On(1)},
          Running{On(2)},
          Uploading{{3, {}}},
          Stopping{On(4), "asked to"},
          Succeeded{5, SomeOutputs()},
          Failed{6, {FailureCause::kSignal, -9, "killed \xff"}},
          Canceled{"by ada"},
          Skipped{"prepare failed"},
          Resolving{},
          Open{},
          Delayed{At(77), {FailureCause::kQueueTimeout, 3, "exit 3"}, 9},
          Leaving{On(8), "emptied", StepKey{7, 3}},
          Succeeded{0, SomeOutputs(), Reused{{7, 8, 9}, 10}}};
}

inline StepsAdded Growth(RunId run, std::uint32_t first, std::uint32_t count) {
  StepsAdded added;
  added.run = run;
  added.control = 1;
  added.ordinal = 4;
  added.label = "item-4";
  added.first = first;
  added.count = count;
  added.values = SomeOutputs();
  added.metric = "loss";
  added.at = At(50);
  return added;
}

inline RunMoved MoveRun(RunId id, RunStatus status, std::int64_t at_us) {
  return {id, status, "because", At(at_us)};
}

}  // namespace potok::server
