// Pipelines, machines and whole worlds for tests of the domain, in few words.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/pipeline/spec.h"
#include "server/domain/decide.h"

namespace potok::server {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

class AStep {
 public:
  explicit AStep(const std::string& name) {
    step_.name = name;
    step_.command = "true";
    step_.deterministic = false;  // equal ones are not to be made of one another
  }
  // It may be made of an equal one.
  AStep& Reusable() {
    step_.deterministic = true;
    return *this;
  }
  AStep& Command(const std::string& command);
  AStep& After(const std::string& upstream);
  AStep& Text(const std::string& input, const std::string& value, ValueType type);
  // An input of files, bound to `value`.
  AStep& Data(const std::string& input, const std::string& value);
  // An input that has no value, and gets one from a loop or a sweep.
  AStep& Unset(const std::string& input, ValueType type);
  AStep& OptionalData(const std::string& input, const std::string& value);
  AStep& Output(const std::string& name, ValueType type = ValueType::kUriFolder);
  AStep& Memory(std::int64_t bytes);
  AStep& Cpus(std::int32_t millis);
  AStep& Gpus(std::int32_t count);
  AStep& GpuShare(std::int32_t millis);
  AStep& GpuModel(const std::string& model);  // or one of those named before
  AStep& GpuMemory(std::int64_t bytes);
  AStep& Disk(std::int64_t bytes);
  AStep& Named(const std::string& name, std::int64_t count);
  AStep& Where(const std::string& label_expression);
  AStep& Priority(std::int32_t priority);
  AStep& Preemptible(bool preemptible = true);
  AStep& Pool(const std::string& pool);
  AStep& Label(const std::string& name, const std::string& value);
  AStep& Isolated() {
    step_.isolation = "sandbox";
    return *this;
  }
  AStep& InContainer() {
    step_.isolation = "container";
    return *this;
  }
  AStep& WithoutNetwork() {
    step_.network = "none";
    return *this;
  }
  AStep& Image(const std::string& image) {
    step_.environment_definition = "{\"image\":\"" + image + "\"}";
    return *this;
  }

  operator Step() const { return step_; }  // NOLINT(google-explicit-constructor)

 private:
  Step step_;
};

PipelineSpec APipeline(std::vector<Step> steps);
// As APipeline, with continue_on_step_failure off.
PipelineSpec AFailFastPipeline(std::vector<Step> steps);
std::shared_ptr<const Plan> APlan(std::vector<Step> steps);

// ${{parent.jobs.STEP.outputs.NAME}}
std::string OutputOf(const std::string& step, const std::string& name);

class AMachine {
 public:
  explicit AMachine(const std::string& name);
  AMachine& Memory(std::int64_t bytes);
  AMachine& Cpus(std::int32_t count);
  AMachine& Gpus(std::int32_t count);  // A100, 80 GiB
  AMachine& Gpu(const std::string& model, std::int64_t memory_bytes);
  AMachine& Disk(std::int64_t bytes);
  AMachine& Named(const std::string& name, std::int64_t count);
  AMachine& Pool(const std::string& pool);
  AMachine& Label(const std::string& name, const std::string& value);
  AMachine& Runtimes(const std::vector<std::string>& runtimes) {
    facts_.runtimes = runtimes;
    return *this;
  }
  AMachine& Boot(const std::string& boot_id);
  AMachine& StateId(const std::string& state_id);

  operator MachineChanged() const { return facts_; }  // NOLINT(google-explicit-constructor)

 private:
  MachineChanged facts_;
};

// A scheduler's state and its time. Every turn checks the invariants, and that the changes alone
// lead to the same state.
class World {
 public:
  State state;
  DecideOptions options;
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  Decision last;                // of the latest turn
  std::vector<Change> journal;  // of all turns

  const Decision& Turn(const std::vector<Event>& events);
  const Decision& Wait(absl::Duration duration);  // and a Tick

  const Decision& Submit(const std::string& run, const PipelineSpec& spec);
  const Decision& SubmitAfter(const std::string& run,
                              const PipelineSpec& spec,
                              const std::vector<RunSubmitted::Predecessor>& after);
  // By another user than the one of Submit, "someone".
  const Decision& SubmitAs(const std::string& user,
                           const std::string& run,
                           const PipelineSpec& spec);
  // What a person says of a team; the answer.
  absl::Status Edit(const std::string& team,
                    const TeamEdit& edit,
                    TeamEdited::Kind kind = TeamEdited::Kind::kCreate);
  RunId IdOf(const std::string& run) const;
  const Decision& Cancel(const std::string& run);
  // A new session of the machine, which says Hello with these.
  const Decision& Connect(const MachineChanged& machine,
                          const std::vector<AttemptKey>& live = {},
                          const std::vector<Report>& unacknowledged = {});
  const Decision& Report(const std::string& machine, const std::vector<server::Report>& reports);
  const Decision& Heartbeat(const std::string& machine);
  const Decision& Disconnect(const std::string& machine);

  // The server is killed and starts again: what is stored is all that it knows.
  const Decision& Restart();

  // The step of that name, also one that was added.
  StepKey KeyOf(const std::string& run, const std::string& step) const;
  bool Has(const std::string& run, const std::string& step) const;
  // The latest attempt of a step.
  AttemptKey Attempt(const std::string& run, const std::string& step) const;
  const StepRecord& StepOf(const std::string& run, const std::string& step) const;
  // "Running", or "Succeeded" and the like even when the run has ended.
  std::string StateOf(const std::string& run, const std::string& step) const;
  template <class T>
  T In(const std::string& run, const std::string& step) const {
    return std::get<T>(LastOf(run, step));
  }
  const MachineRecord& Machine(const std::string& name) const;
  // Of a run that may have ended.
  RunMoved LastMove(const std::string& run) const;

  std::vector<StartOrder> Starts() const;  // of the latest turn
  std::vector<StopOrder> Stops() const;
  std::vector<AttemptKey> Acks() const;
  template <class T>
  std::vector<T> Said() const {
    std::vector<T> said;
    for (const Effect& effect : last.effects) {
      if (const T* match = std::get_if<T>(&effect)) said.push_back(*match);
    }
    return said;
  }

 private:
  const Decision& Record(Decision decision);
  StepState LastOf(const std::string& run, const std::string& step) const;

  SessionId next_session_ = 1;
  ReplyToken next_reply_ = 1;
  std::int64_t epoch_ = 0;
  State replayed_;
  std::map<std::string, RunAdded> runs_;
  std::map<RunId, std::shared_ptr<const Plan>> plans_;
};

Report Starts(const AttemptKey& key);
Report Exits(const AttemptKey& key);
Report Succeeds(const AttemptKey& key, std::vector<OutputValue> outputs = {});
Report Fails(const AttemptKey& key, FailureCause cause = FailureCause::kExitCode);
Report Stops(const AttemptKey& key);
OutputValue Files(const std::string& name);
OutputValue Word(const std::string& name, const std::string& text);

// All that is stored of a state, as text, for comparison: sessions and what was heard are not.
std::string StoredPartOf(const State& state);

}  // namespace potok::server
