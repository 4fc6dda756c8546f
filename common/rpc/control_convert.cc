#include "common/rpc/control_convert.h"

#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/step_convert.h"
#include "fmt/format.h"

namespace potok {

namespace {

void WriteKind(const DoWhile& loop, v1::DoWhile* out) {
  out->set_condition(loop.condition);
  for (const auto& [output, inputs] : loop.mapping) {
    v1::DoWhile::Mapping& mapping = *out->add_mapping();
    mapping.set_output(output);
    for (const std::string& input : inputs) mapping.add_inputs(input);
  }
  out->set_max_iterations(loop.max_iterations);
}

DoWhile ReadKind(const v1::DoWhile& loop) {
  DoWhile out;
  out.condition = loop.condition();
  for (const v1::DoWhile::Mapping& mapping : loop.mapping()) {
    out.mapping[mapping.output()] = {mapping.inputs().begin(), mapping.inputs().end()};
  }
  out.max_iterations = loop.max_iterations();
  return out;
}

void WriteKind(const EarlyTermination& early, v1::EarlyTermination* out) {
  out->set_policy(early.policy);
  out->set_slack_factor(early.slack_factor);
  out->set_slack_amount(early.slack_amount);
  out->set_truncation_percentage(early.truncation_percentage);
  out->set_exclude_finished_jobs(early.exclude_finished_jobs);
  out->set_evaluation_interval(early.evaluation_interval);
  out->set_delay_evaluation(early.delay_evaluation);
}

EarlyTermination ReadKind(const v1::EarlyTermination& early) {
  return {early.policy(),
          early.slack_factor(),
          early.slack_amount(),
          early.truncation_percentage(),
          early.exclude_finished_jobs(),
          early.evaluation_interval(),
          early.delay_evaluation()};
}

void WriteKind(const Sweep& sweep, v1::Sweep* out) {
  for (const SearchParameter& parameter : sweep.space) {
    v1::SearchParameter& to = *out->add_space();
    to.set_name(parameter.name);
    to.set_type(parameter.type);
    for (const std::string& value : parameter.values) to.add_values(value);
    to.mutable_numbers()->insert(parameter.numbers.begin(), parameter.numbers.end());
  }
  out->set_algorithm(sweep.algorithm);
  out->set_rule(sweep.rule);
  if (sweep.seed) out->set_seed(*sweep.seed);
  if (sweep.logbase) out->set_logbase(*sweep.logbase);
  out->set_primary_metric(sweep.primary_metric);
  out->set_maximize(sweep.maximize);
  out->set_max_total_trials(sweep.max_total_trials);
  out->set_max_concurrent_trials(sweep.max_concurrent_trials);
  out->set_timeout_seconds(sweep.timeout_seconds);
  out->set_trial_timeout_seconds(sweep.trial_timeout_seconds);
  WriteKind(sweep.early_termination, out->mutable_early_termination());
}

Sweep ReadKind(const v1::Sweep& sweep) {
  Sweep out;
  for (const v1::SearchParameter& parameter : sweep.space()) {
    out.space.push_back({parameter.name(),
                         parameter.type(),
                         {parameter.values().begin(), parameter.values().end()},
                         {parameter.numbers().begin(), parameter.numbers().end()}});
  }
  out.algorithm = sweep.algorithm();
  out.rule = sweep.rule();
  if (sweep.has_seed()) out.seed = sweep.seed();
  if (sweep.has_logbase()) out.logbase = sweep.logbase();
  out.primary_metric = sweep.primary_metric();
  out.maximize = sweep.maximize();
  out.max_total_trials = sweep.max_total_trials();
  out.max_concurrent_trials = sweep.max_concurrent_trials();
  out.timeout_seconds = sweep.timeout_seconds();
  out.trial_timeout_seconds = sweep.trial_timeout_seconds();
  out.early_termination = ReadKind(sweep.early_termination());
  return out;
}

void WriteKind(const Parallel& parallel, v1::Parallel* out) {
  out->set_entry_script(parallel.entry_script);
  out->set_program_arguments(parallel.program_arguments);
  out->set_input_data(parallel.input_data);
  out->set_append_row_to(parallel.append_row_to);
  out->set_mini_batch_size(parallel.mini_batch_size);
  for (const std::string& key : parallel.partition_keys) out->add_partition_keys(key);
  out->set_mini_batch_error_threshold(parallel.mini_batch_error_threshold);
  out->set_error_threshold(parallel.error_threshold);
  out->set_max_retries(parallel.max_retries);
  out->set_batch_timeout_seconds(parallel.batch_timeout_seconds);
  out->set_max_concurrency_per_instance(parallel.max_concurrency_per_instance);
  out->set_logging_level(parallel.logging_level);
}

Parallel ReadKind(const v1::Parallel& parallel) {
  Parallel out;
  out.entry_script = parallel.entry_script();
  out.program_arguments = parallel.program_arguments();
  out.input_data = parallel.input_data();
  out.append_row_to = parallel.append_row_to();
  out.mini_batch_size = parallel.mini_batch_size();
  out.partition_keys.assign(parallel.partition_keys().begin(), parallel.partition_keys().end());
  out.mini_batch_error_threshold = parallel.mini_batch_error_threshold();
  out.error_threshold = parallel.error_threshold();
  out.max_retries = parallel.max_retries();
  out.batch_timeout_seconds = parallel.batch_timeout_seconds();
  out.max_concurrency_per_instance = parallel.max_concurrency_per_instance();
  out.logging_level = parallel.logging_level();
  return out;
}

}  // namespace

v1::Control ToProto(const Control& control) {
  v1::Control out;
  std::visit(Overloaded{
                 [&](const Condition&) { out.mutable_condition(); },
                 [&](const DoWhile& kind) { WriteKind(kind, out.mutable_do_while()); },
                 [&](const ParallelFor& kind) {
                   out.mutable_parallel_for()->set_max_concurrency(kind.max_concurrency);
                 },
                 [&](const Sweep& kind) { WriteKind(kind, out.mutable_sweep()); },
                 [&](const Parallel& kind) { WriteKind(kind, out.mutable_parallel()); },
                 [&](const Opaque& kind) {
                   out.mutable_opaque()->set_type(kind.type);
                   out.mutable_opaque()->set_instead(kind.instead);
                 },
                 [](const Nested&) {},  // never sent, and so is the next
                 [](const Gang&) {},
             },
             control.kind);
  for (const Step& step : control.body) Write(step, out.add_body());
  return out;
}

absl::StatusOr<Control> FromProto(const v1::Control& control) {
  Control out;
  switch (control.kind_case()) {
    case v1::Control::kCondition:
      out.kind = Condition{};
      break;
    case v1::Control::kDoWhile:
      out.kind = ReadKind(control.do_while());
      break;
    case v1::Control::kParallelFor:
      out.kind = ParallelFor{control.parallel_for().max_concurrency()};
      break;
    case v1::Control::kSweep:
      out.kind = ReadKind(control.sweep());
      break;
    case v1::Control::kParallel:
      out.kind = ReadKind(control.parallel());
      break;
    case v1::Control::kOpaque:
      out.kind = Opaque{control.opaque().type(), control.opaque().instead()};
      break;
    case v1::Control::KIND_NOT_SET:
      return absl::InvalidArgumentError("a kind of step that is not known to this server");
  }
  for (const v1::Step& step : control.body()) {
    const absl::Status status = Read(step, &out.body.emplace_back());
    if (!status.ok()) {
      return absl::Status(status.code(),
                          fmt::format("body.{}: {}", step.name(), std::string(status.message())));
    }
  }
  return out;
}

}  // namespace potok
