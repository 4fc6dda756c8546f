#include "client/cli/show/job_object.h"

#include <map>
#include <utility>

#include "client/cli/show/object_values.h"
#include "client/cli/show/step_object.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"

namespace potok::client {

namespace {

Value JobsObject(const v1::Run& run) {
  std::map<std::string, const v1::Step*> specs;
  for (const v1::Step& spec : run.spec().steps()) specs[spec.name()] = &spec;
  Object jobs;
  for (const v1::StepStatus& step : run.steps()) {
    Object job = StateMembers(step);
    if (const auto spec = specs.find(step.name()); spec != specs.end()) {
      for (Member& member : SpecMembers(*spec->second, &step)) job.push_back(std::move(member));
    }
    jobs.emplace_back(step.name(), std::move(job));
  }
  return Value(std::move(jobs));
}

Value SettingsObject(const v1::Settings& settings) {
  const bool go_on =
      !settings.has_continue_on_step_failure() || settings.continue_on_step_failure();
  return Value(Object{{"continue_on_step_failure", go_on},
                      {"default_compute", TextOrNull(settings.default_compute())},
                      {"default_datastore", TextOrNull(settings.default_datastore())},
                      {"force_rerun", settings.force_rerun()}});
}

Value CreationContext(const v1::Run& run) {
  return Value(Object{{"created_at", IsoTime(run.created_us())},
                      {"created_by", run.submitter()},
                      {"created_by_type", "User"}});
}

Value Services(const std::string& name, const std::string& runs_at) {
  return Value(Object{
      {"Studio",
       Object{{"endpoint", runs_at + "/" + name}, {"status", Value()}, {"type", "Studio"}}}});
}

// A standalone job's inputs and outputs are its step's; the step's other members come after the
// job's own.
void AddStepMember(Member member, Object* job) {
  if (member.first == "type") return;
  if (member.first != "inputs" && member.first != "outputs") {
    job->push_back(std::move(member));
    return;
  }
  for (Member& known : *job) {
    if (known.first == member.first) known.second = std::move(member.second);
  }
}

// Where people put it in the order; nothing of a run that they left alone.
void AddOrder(const v1::Run& run, Object* job) {
  Array after;
  for (const v1::RunDependency& one : run.after()) {
    after.emplace_back(Object{{"run", one.run()}, {"only_if_completed", one.only_if_completed()}});
  }
  if (!after.empty()) job->emplace_back("after", std::move(after));
  if (run.has_hold()) {
    job->emplace_back("hold",
                      Object{{"by", run.hold().by()},
                             {"reason", TextOrNull(run.hold().reason())},
                             {"since", IsoTime(run.hold().since_us())}});
  }
  if (run.has_moved_priority()) job->emplace_back("moved_priority", run.moved_priority());
  if (run.has_moved_compute()) job->emplace_back("moved_compute", run.moved_compute());
}

}  // namespace

Value JobObject(const v1::Run& run, const std::string& runs_at) {
  Object job = {{"name", run.name()},
                {"display_name", run.display_name()},
                {"experiment_name", run.experiment_name()},
                {"description", TextOrNull(run.description())},
                {"status", NameOf(run.status())},
                {"reason", TextOrNull(run.reason())},
                {"type", run.is_pipeline() ? "pipeline" : "command"},
                {"tags", SortedTexts(run.tags())},
                {"properties", SortedTexts(run.properties())},
                {"inputs", InputsObject(run.spec().inputs())},
                {"outputs", OutputsObject(run.spec().outputs(), run.outputs())}};
  if (run.is_pipeline()) {
    job.emplace_back("compute", TextOrNull(run.spec().settings().default_compute()));
    job.emplace_back("jobs", JobsObject(run));
    job.emplace_back("settings", SettingsObject(run.spec().settings()));
  } else if (run.spec().steps_size() == 1) {
    const v1::StepStatus* step = run.steps_size() == 1 ? &run.steps(0) : nullptr;
    for (Member& member : SpecMembers(run.spec().steps(0), step)) {
      AddStepMember(std::move(member), &job);
    }
    if (step != nullptr) {
      job.emplace_back("machine", TextOrNull(step->machine()));
      job.emplace_back("runtime", TextOrNull(step->runtime()));
      job.emplace_back("exit_code", step->has_exit_code() ? Value(step->exit_code()) : Value());
      AddUsage(*step, &job);
    }
  }
  job.emplace_back("services", Services(run.name(), runs_at));
  job.emplace_back("creation_context", CreationContext(run));
  job.emplace_back("team", TextOrNull(run.team()));
  job.emplace_back("started_at", TextOrNull(IsoTime(run.started_us())));
  job.emplace_back("ended_at", TextOrNull(IsoTime(run.ended_us())));
  if (run.forgotten_us() != 0) {
    job.emplace_back("outputs_deleted_at", TextOrNull(IsoTime(run.forgotten_us())));
  }
  job.emplace_back("parent_job_name", Value());
  job.emplace_back("archived", run.archived());
  AddOrder(run, &job);
  return Value(std::move(job));
}

Value JobListItem(const v1::Run& run, const std::string& runs_at) {
  Object item = {{"name", run.name()},
                 {"display_name", run.display_name()},
                 {"experiment_name", run.experiment_name()},
                 {"status", NameOf(run.status())},
                 {"reason", TextOrNull(run.reason())},
                 {"type", run.is_pipeline() ? "pipeline" : "command"},
                 {"tags", SortedTexts(run.tags())},
                 {"properties", SortedTexts(run.properties())},
                 {"archived", run.archived()},
                 {"steps",
                  Object{{"total", run.steps_total()},
                         {"completed", run.steps_completed()},
                         {"failed", run.steps_failed()},
                         {"canceled", run.steps_canceled()},
                         {"running", run.steps_running()}}},
                 {"services", Services(run.name(), runs_at)},
                 {"creation_context", CreationContext(run)},
                 {"team", TextOrNull(run.team())},
                 {"started_at", TextOrNull(IsoTime(run.started_us()))},
                 {"ended_at", TextOrNull(IsoTime(run.ended_us()))},
                 {"parent_job_name", Value()}};
  AddOrder(run, &item);
  return Value(std::move(item));
}

std::string ChildJobName(const std::string& run, const std::string& step) {
  return run + "_" + step;
}

Array ChildJobs(const v1::Run& run, const std::string& runs_at) {
  std::map<std::string, const v1::Step*> specs;
  for (const v1::Step& spec : run.spec().steps()) specs[spec.name()] = &spec;
  Array jobs;
  for (const v1::StepStatus& step : run.steps()) {
    const std::string name = ChildJobName(run.name(), step.name());
    Object job = {
        {"name", name}, {"display_name", step.name()}, {"experiment_name", run.experiment_name()}};
    for (Member& member : StateMembers(step)) job.push_back(std::move(member));
    if (const auto spec = specs.find(step.name()); spec != specs.end()) {
      for (Member& member : SpecMembers(*spec->second, &step)) job.push_back(std::move(member));
    }
    job.emplace_back("tags", Object{});
    job.emplace_back("properties", Object{});
    job.emplace_back("services", Services(name, runs_at));
    job.emplace_back("creation_context", CreationContext(run));
    job.emplace_back("parent_job_name", run.name());
    jobs.emplace_back(std::move(job));
  }
  return jobs;
}

std::string RunsAt(const std::string& address, const std::string& web) {
  if (!web.empty()) return (web.back() == '/' ? web.substr(0, web.size() - 1) : web) + "/runs";
  const bool is_unix = address.rfind("unix:", 0) == 0;
  return (is_unix ? "potok+" + address : "potok://" + address) + "/runs";
}

}  // namespace potok::client
