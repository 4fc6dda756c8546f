#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "client/cli/follow/live_block.h"
#include "client/cli/show/job_object.h"
#include "client/cli/show/machine_text.h"
#include "client/cli/show/run_text.h"

namespace potok::client {
namespace {

constexpr std::int64_t kStartUs = 1'700'000'000'000'000;

v1::StepStatus AStep(int index, const std::string& name, v1::Status status) {
  v1::StepStatus step;
  step.set_index(index);
  step.set_name(name);
  step.set_status(status);
  return step;
}

v1::Run ARun() {
  v1::Run run;
  run.set_name("brave_river");
  run.set_display_name("Demo");
  run.set_experiment_name("exp");
  run.set_status(v1::STATUS_FAILED);
  run.set_reason("step train failed");
  run.set_created_us(kStartUs);
  run.set_started_us(kStartUs + 1'000'000);
  run.set_ended_us(kStartUs + 65'000'000);
  run.set_submitter("ann");
  run.set_is_pipeline(true);
  run.set_steps_total(2);
  run.set_steps_completed(1);
  run.set_steps_failed(1);
  v1::StepStatus prep = AStep(0, "prep", v1::STATUS_COMPLETED);
  prep.set_started_us(kStartUs + 1'000'000);
  prep.set_ended_us(kStartUs + 13'000'000);
  prep.set_machine("gpu-1");
  prep.set_attempt(1);
  prep.set_exit_code(0);
  *run.add_steps() = prep;
  v1::StepStatus train = AStep(1, "train", v1::STATUS_FAILED);
  train.set_started_us(kStartUs + 14'000'000);
  train.set_ended_us(kStartUs + 64'000'000);
  train.set_machine("gpu-2");
  train.set_attempt(2);
  train.set_exit_code(3);
  *run.add_steps() = train;
  v1::OutputValue* model = run.add_outputs();
  model->set_name("model");
  model->mutable_artifact()->set_is_folder(true);
  model->mutable_artifact()->set_total_bytes(12 * 1024 * 1024);
  model->mutable_artifact()->mutable_digest()->set_hash("ab12");
  model->mutable_artifact()->mutable_digest()->set_size_bytes(70);
  return run;
}

TEST(RunSummaryTest, TellsStepsTimesReasonsAndHowToGetTheOutputs) {
  EXPECT_EQ(RunSummary(ARun(), absl::FromUnixMicros(kStartUs)),
            "brave_river  Failed  in 1m 05s  (2 steps: 1 completed, 1 failed)\n"
            "  step train failed\n"
            "STEP   STATE      TIME  MACHINE\n"
            "-----  ---------  ----  -------  -----------\n"
            "prep   Completed  12s   gpu-1\n"
            "train  Failed     50s   gpu-2    exit code 3\n"
            "Outputs\n"
            "  model  12 MiB folder  (potok job download -n brave_river --output-name model)\n");
}

TEST(RuntimeLinesTest, TellWhatStepsRanInThatRanInSomethingElseThanTheirMachine) {
  v1::Run run;
  EXPECT_EQ(RuntimeLines(run), "");
  run.add_steps()->set_name("waits");
  v1::StepStatus& plain = *run.add_steps();
  plain.set_name("plain");
  plain.set_runtime("host");
  v1::StepStatus& train = *run.add_steps();
  train.set_name("train");
  train.set_runtime("container python:3.11@sha256:aa");
  EXPECT_EQ(RuntimeLines(run), "Ran in\n  train  container python:3.11@sha256:aa\n");
}

TEST(UsageLinesTest, TellWhatStepsUsedAndWhatTheyCouldAskFor) {
  v1::Run run = ARun();
  EXPECT_EQ(UsageLines(run), "");
  v1::StepStatus& prep = *run.mutable_steps(0);
  prep.mutable_usage()->set_peak_memory_bytes(3'300'000'000);
  prep.mutable_usage()->set_cpu_us(12'300'000);
  prep.mutable_usage()->set_read_bytes(2 << 20);
  prep.add_resource_notes("asked 64 GiB, peaked at 3.1 GiB: resources.memory could be 4 GiB");
  v1::Usage& usage = *run.mutable_steps(1)->mutable_usage();
  usage.set_cpu_us(500'000);
  usage.set_gpu_utilization(0.834);
  usage.set_gpu_peak_memory_bytes(std::int64_t{20} << 30);
  EXPECT_EQ(UsageLines(run),
            "Used\n"
            "  prep  peak 3.1 GiB memory, 12s of CPU time, read 2 MiB\n"
            "    asked 64 GiB, peaked at 3.1 GiB: resources.memory could be 4 GiB\n"
            "  train  0.5s of CPU time, GPUs 83 % busy, 20 GiB of their memory\n");
}

TEST(RunSummaryTest, NamesTheTeamWhereThereIsMoreThanOne) {
  v1::Run run = ARun();
  run.set_team("vision");
  EXPECT_THAT(RunSummary(run, absl::FromUnixMicros(kStartUs)),
              testing::HasSubstr("\n  Team vision\n"));
  run.set_team("default");
  EXPECT_THAT(RunSummary(run, absl::FromUnixMicros(kStartUs)), Not(testing::HasSubstr("Team")));
}

TEST(RunSummaryTest, SaysSinceWhenOutputsAreDeleted) {
  v1::Run run = ARun();
  run.set_forgotten_us(kStartUs);
  EXPECT_THAT(RunSummary(run, absl::FromUnixMicros(kStartUs)),
              testing::HasSubstr("  Outputs and logs are deleted since 20"));
}

TEST(RunSummaryTest, LeavesOutTheCompletedStepsOfALargeRun) {
  v1::Run run = ARun();
  for (int i = 2; i < 100; ++i) {
    *run.add_steps() = AStep(i, "s" + std::to_string(i), v1::STATUS_COMPLETED);
  }
  const std::string summary = RunSummary(run, absl::FromUnixMicros(kStartUs));
  EXPECT_NE(summary.find("train  Failed"), std::string::npos);
  EXPECT_EQ(summary.find("s42"), std::string::npos);
  EXPECT_NE(summary.find("and 99 more steps"), std::string::npos);
}

TEST(RunSummaryTest, LeavesOutTheStepsThatALoopMadeInALargeCompletedRun) {
  v1::Run run = ARun();
  run.set_status(v1::STATUS_COMPLETED);
  run.mutable_steps(1)->set_status(v1::STATUS_COMPLETED);
  for (int i = 2; i < 100; ++i) {
    *run.add_steps() = AStep(i, "tune[" + std::to_string(i) + "]", v1::STATUS_CANCELED);
  }
  const std::string summary = RunSummary(run, absl::FromUnixMicros(kStartUs));
  EXPECT_NE(summary.find("train  Completed"), std::string::npos);
  EXPECT_EQ(summary.find("tune["), std::string::npos);
  EXPECT_NE(summary.find("and 98 more steps"), std::string::npos);
}

TEST(StepChangeLineTest, SaysWhereWhenAndWhy) {
  const absl::Time now = absl::FromUnixMicros(kStartUs);
  const absl::TimeZone zone = absl::UTCTimeZone();
  v1::StepStatus step = AStep(0, "train\x1b[2J", v1::STATUS_RUNNING);
  step.set_machine("gpu-1");
  EXPECT_EQ(StepChangeLine(step, now, zone), "22:13:20 train\\x1b[2J  Running  on gpu-1");
  v1::StepStatus queued = AStep(0, "train", v1::STATUS_QUEUED);
  queued.set_waiting_for("needs 64 GiB memory");
  EXPECT_EQ(StepChangeLine(queued, now, zone),
            "22:13:20 train  Queued  waits: needs 64 GiB memory");
  v1::StepStatus reused = AStep(0, "prep", v1::STATUS_COMPLETED);
  reused.set_reused_from("calm_sea/prep");
  EXPECT_EQ(StepChangeLine(reused, now, zone),
            "22:13:20 prep  Completed  reused from calm_sea/prep");
}

TEST(LiveBlockTest, ShowsOneLineForEachStep) {
  v1::Run run = ARun();
  run.set_status(v1::STATUS_RUNNING);
  run.set_ended_us(0);
  run.mutable_steps(1)->set_status(v1::STATUS_RUNNING);
  run.mutable_steps(1)->set_ended_us(0);
  run.mutable_steps(1)->clear_exit_code();
  const absl::Time now = absl::FromUnixMicros(kStartUs) + absl::Seconds(20);
  EXPECT_EQ(LiveBlock(run, now, Screen{80, 24, false}),
            (std::vector<std::string>{
                "brave_river  Running  1/2  20s",
                "  prep   Completed        12s       gpu-1",
                "  train  Running          6.0s      gpu-2  attempt 2",
            }));
}

TEST(LiveBlockTest, CountsALargeRunAndListsWhatIsOnMachines) {
  v1::Run run;
  run.set_name("big");
  run.set_status(v1::STATUS_RUNNING);
  for (int i = 0; i < 1000; ++i) {
    *run.add_steps() = AStep(i, "s" + std::to_string(i), v1::STATUS_NOT_STARTED);
  }
  for (int i = 100; i < 120; ++i) run.mutable_steps(i)->set_status(v1::STATUS_RUNNING);
  const std::vector<std::string> lines = LiveBlock(run, absl::Now(), Screen{60, 10, false});
  ASSERT_EQ(lines.size(), 9U);
  EXPECT_EQ(lines[1], "  980 NotStarted, 20 Running");
  EXPECT_EQ(lines[2].substr(0, 6), "  s100");
  EXPECT_EQ(lines[8], "  and 14 more on machines");
}

TEST(LiveBlockTest, KeepsLinesWithinTheScreen) {
  v1::Run run = ARun();
  run.mutable_steps(1)->set_name(std::string(100, 'x'));
  run.mutable_steps(1)->set_reason(std::string(300, 'y'));
  for (const std::string& line : LiveBlock(run, absl::Now(), Screen{60, 24, false})) {
    std::size_t columns = 0;
    for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
    EXPECT_LE(columns, 60U) << line;
  }
}

TEST(JobObjectTest, HasWhatScriptsReadOfAnAzureJob) {
  v1::Run run = ARun();
  v1::PipelineSpec* spec = run.mutable_spec();
  spec->set_is_pipeline(true);
  v1::Input* lr = spec->add_inputs();
  lr->set_name("lr");
  lr->mutable_value()->set_text("0.1");
  v1::Input* data = spec->add_inputs();
  data->set_name("data");
  data->set_type(v1::VALUE_TYPE_URI_FOLDER);
  data->mutable_value()->set_uri("https://example.org/d");
  v1::Output* model = spec->add_outputs();
  model->set_name("model");
  model->set_type(v1::VALUE_TYPE_MLFLOW_MODEL);
  v1::Step* prep = spec->add_steps();
  prep->set_name("prep");
  prep->set_command("echo 1");
  run.set_team("vision");
  const std::string yaml = ToYaml(JobObject(run, "potok://h:1/runs"));
  EXPECT_EQ(yaml.substr(0, yaml.find("jobs:")),
            "name: brave_river\n"
            "display_name: Demo\n"
            "experiment_name: exp\n"
            "description: null\n"
            "status: Failed\n"
            "reason: step train failed\n"
            "type: pipeline\n"
            "tags: {}\n"
            "properties: {}\n"
            "inputs:\n"
            "  lr: \"0.1\"\n"
            "  data:\n"
            "    mode: ro_mount\n"
            "    path: \"https://example.org/d\"\n"
            "    type: uri_folder\n"
            "outputs:\n"
            "  model:\n"
            "    mode: rw_mount\n"
            "    path: \"sha256:ab12/70\"\n"
            "    type: mlflow_model\n"
            "    size_bytes: 12582912\n"
            "compute: null\n");
  for (const char* part : {"  prep:\n    status: Completed\n",
                           "    command: echo 1\n",
                           "settings:\n  continue_on_step_failure: true\n",
                           "    endpoint: \"potok://h:1/runs/brave_river\"\n",
                           "created_by: ann\n",
                           "\nteam: vision\n",
                           "parent_job_name: null\n"}) {
    EXPECT_NE(yaml.find(part), std::string::npos) << part << "\nin\n" << yaml;
  }
}

TEST(MachineTableTest, ShowsWhatIsInUse) {
  v1::Machine machine;
  machine.set_name("gpu-1");
  machine.set_liveness(v1::LIVENESS_READY);
  machine.mutable_capacity()->set_memory_bytes(std::int64_t{64} << 30);
  machine.mutable_capacity()->set_cpu_millis(8000);
  machine.mutable_capacity()->set_gpus(2);
  machine.mutable_reserved()->set_memory_bytes(std::int64_t{8} << 30);
  machine.mutable_reserved()->set_cpu_millis(500);
  machine.add_pools("train");
  EXPECT_EQ(MachineTable({machine}),
            "MACHINE  STATE  MEMORY           CPUS      GPUS    STEPS  POOLS\n"
            "-------  -----  ---------------  --------  ------  -----  -----\n"
            "gpu-1    Ready  8 GiB of 64 GiB  0.5 of 8  0 of 2  0      train\n");
}

TEST(MachineTableTest, ShowsSharesOfGpusAndWhatIsCounted) {
  v1::Machine machine;
  machine.set_name("gpu-1");
  machine.set_liveness(v1::LIVENESS_READY);
  machine.mutable_capacity()->set_gpu_millis(2000);
  machine.mutable_capacity()->set_disk_bytes(std::int64_t{100} << 30);
  machine.mutable_reserved()->set_gpu_millis(1250);
  (*machine.mutable_capacity()->mutable_named())["fpga"] = 2;
  (*machine.mutable_capacity()->mutable_named())["licence"] = 4;
  (*machine.mutable_reserved()->mutable_named())["licence"] = 1;
  v1::Gpu& gpu = *machine.add_gpus();
  gpu.set_model("A100");
  gpu.set_memory_bytes(std::int64_t{40} << 30);
  gpu.set_reserved_millis(250);
  const std::string text = MachineText(machine, absl::UTCTimeZone());
  for (const char* part : {"1.25 of 2",
                           "fpga 0 of 2, licence 1 of 4\n",
                           "GPU 0: A100, 40 GiB, 0.25 in use\n",
                           "Disk: 0 B of 100 GiB\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
}

TEST(MachineTableTest, TheStateSaysWhatKeepsStepsOff) {
  v1::Machine machine;
  machine.set_liveness(v1::LIVENESS_READY);
  EXPECT_EQ(MachineState(machine), "Ready");
  machine.mutable_quarantine()->set_reason("flaps");
  EXPECT_EQ(MachineState(machine), "Quarantined");
  machine.mutable_cordon()->set_state(v1::CORDON_STATE_CORDONED);
  EXPECT_EQ(MachineState(machine), "Cordoned");
  machine.mutable_cordon()->set_state(v1::CORDON_STATE_DRAINING);
  EXPECT_EQ(MachineState(machine), "Drained");
  machine.add_steps();
  machine.add_steps();
  EXPECT_EQ(MachineState(machine), "Draining, 2 steps");
  machine.set_liveness(v1::LIVENESS_NOT_RESPONDING);
  EXPECT_EQ(MachineState(machine), "NotResponding, draining, 2 steps");
}

TEST(MachineTextTest, SaysHowLongTheMachineMayBeSilent) {
  v1::Machine machine;
  EXPECT_THAT(MachineText(machine, absl::UTCTimeZone()), Not(testing::HasSubstr("lease")));
  machine.set_lease_ms(5'400'000);
  EXPECT_THAT(MachineText(machine, absl::UTCTimeZone()), testing::HasSubstr(", lease 1h30m\n"));
  machine.set_lease_ms(0);
  EXPECT_THAT(MachineText(machine, absl::UTCTimeZone()), testing::HasSubstr(", lease never\n"));
}

TEST(MachineTextTest, SaysWhoSaidWhatAndWhereLabelsComeFrom) {
  v1::Machine machine;
  machine.set_name("gpu-1");
  (*machine.mutable_labels())["disk"] = "nvme";
  (*machine.mutable_labels())["zone"] = "b";
  (*machine.mutable_agent_labels())["disk"] = "nvme";
  v1::LabelEdit& zone = *machine.add_label_edits();
  zone.set_name("zone");
  zone.set_value("b");
  zone.set_by("ann");
  zone.set_at_us(1'700'000'000'000'000);
  v1::Cordon& cordon = *machine.mutable_cordon();
  cordon.set_state(v1::CORDON_STATE_DRAINING);
  cordon.set_by("bob");
  cordon.set_reason("a new disk");
  cordon.set_at_us(1'700'000'000'000'000);
  cordon.set_deadline_us(1'700'000'060'000'000);
  const std::string text = MachineText(machine, absl::UTCTimeZone());
  for (const char* line :
       {"Drained by bob at 2023-11-14 22:13:20: a new disk; steps may go on until "
        "2023-11-14 22:14:20\n",
        "Label disk=nvme (of its agent)\n",
        "Label zone=b (set by ann at 2023-11-14 22:13:20)\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

}  // namespace
}  // namespace potok::client
