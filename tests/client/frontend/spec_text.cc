#include "tests/client/frontend/spec_text.h"

#include "common/base/overloaded.h"
#include "common/pipeline/artifact_reference.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)) {}

  std::string Take() { return std::move(text_); }

  void Line(int depth, const std::string& line) {
    text_ += std::string(static_cast<std::size_t>(depth) * 2, ' ') + line + "\n";
  }
  void Fact(int depth, const std::string& name, const std::string& value) {
    if (!value.empty()) Line(depth, name + ": " + Escaped(value));
  }
  void Facts(int depth, const std::string& name, const std::map<std::string, std::string>& values) {
    for (const auto& [key, value] : values)
      Line(depth, fmt::format("{} {}={}", name, key, Escaped(value)));
  }

  std::string Path(const std::string& path) const {
    if (path.compare(0, folder_.size(), folder_) != 0) return path;
    return "<cases>" + path.substr(folder_.size());
  }

  void Write(int depth, const Input& input) {
    std::string line = fmt::format("input {} {}", input.name, NameOf(input.type));
    if (input.mode != Mode::kDefault) line += fmt::format(" mode={}", NameOf(input.mode));
    if (input.optional) line += " optional";
    if (input.min) line += fmt::format(" min={}", *input.min);
    if (input.max) line += fmt::format(" max={}", *input.max);
    if (!input.choices.empty()) line += fmt::format(" choices={}", fmt::join(input.choices, "|"));
    line += std::visit(
        Overloaded{[](const std::monostate&) { return std::string(); },
                   [](const TextValue& value) { return " = '" + Escaped(value.text) + "'"; },
                   [](const UriValue& value) { return " = uri " + value.uri; },
                   [&](const LocalPath& value) { return " = local " + Path(value.path); },
                   [](const Artifact& value) { return " = " + ArtifactReference(value); }},
        input.value);
    Line(depth, line);
    Fact(depth + 1, "description", input.description);
  }

  void Write(int depth, const Output& output) {
    std::string line = fmt::format("output {} {}", output.name, NameOf(output.type));
    if (output.mode != Mode::kDefault) line += fmt::format(" mode={}", NameOf(output.mode));
    if (!output.path.empty()) line += " path=" + output.path;
    if (!output.promoted_to.empty()) line += " promoted_to=" + output.promoted_to;
    if (!output.asset_name.empty()) line += " name=" + output.asset_name;
    if (!output.asset_version.empty()) line += " version=" + output.asset_version;
    if (output.control) line += " control";
    if (output.early_available) line += " early";
    Line(depth, line);
  }

  void Write(int base, const Condition&) { Line(base, "condition"); }
  void Write(int base, const DoWhile& loop) {
    Line(base, fmt::format("do_while {} at most {}", loop.condition, loop.max_iterations));
    for (const auto& [output, inputs] : loop.mapping) {
      Line(base + 1, fmt::format("{} -> {}", output, fmt::join(inputs, ", ")));
    }
  }
  void Write(int base, const ParallelFor& loop) {
    Line(base, fmt::format("parallel_for {} at a time", loop.max_concurrency));
  }
  void Write(int base, const Sweep& sweep) {
    std::string line = fmt::format("sweep {} {} of {} trials, {} at a time",
                                   sweep.maximize ? "maximize" : "minimize",
                                   sweep.primary_metric,
                                   sweep.max_total_trials,
                                   sweep.max_concurrent_trials);
    if (sweep.timeout_seconds != 0) line += fmt::format(", {} s", sweep.timeout_seconds);
    if (sweep.trial_timeout_seconds != 0) {
      line += fmt::format(", each {} s", sweep.trial_timeout_seconds);
    }
    Line(base, line);
    line = "by " + sweep.algorithm + (sweep.rule.empty() ? "" : " " + sweep.rule);
    if (sweep.seed) line += fmt::format(" seed={}", *sweep.seed);
    if (sweep.logbase) line += fmt::format(" logbase={}", *sweep.logbase);
    Line(base + 1, line);
    for (const SearchParameter& parameter : sweep.space) {
      line = fmt::format("{} {}", parameter.name, parameter.type);
      for (const auto& [name, number] : parameter.numbers) {
        line += fmt::format(" {}={}", name, number);
      }
      if (!parameter.values.empty())
        line += " of " + fmt::format("{}", fmt::join(parameter.values, "|"));
      Line(base + 1, line);
    }
    const EarlyTermination& early = sweep.early_termination;
    if (early.policy.empty()) return;
    Line(base + 1,
         fmt::format("{} factor={} amount={} percentage={}{} interval={} delay={}",
                     early.policy,
                     early.slack_factor,
                     early.slack_amount,
                     early.truncation_percentage,
                     early.exclude_finished_jobs ? " unfinished" : "",
                     early.evaluation_interval,
                     early.delay_evaluation));
  }
  void Write(int base, const Gang&) { Line(base, "gang"); }
  void Write(int base, const Parallel& parallel) {
    Line(base,
         fmt::format("parallel {} of {} into '{}' by '{}'",
                     parallel.entry_script,
                     parallel.input_data,
                     parallel.append_row_to,
                     parallel.mini_batch_size));
    Fact(base + 1, "arguments", parallel.program_arguments);
    Fact(base + 1, "keys", fmt::format("{}", fmt::join(parallel.partition_keys, ", ")));
    Line(base + 1,
         fmt::format("errors {} {} retries {} of {} s, {} at a time, log '{}'",
                     parallel.mini_batch_error_threshold,
                     parallel.error_threshold,
                     parallel.max_retries,
                     parallel.batch_timeout_seconds,
                     parallel.max_concurrency_per_instance,
                     parallel.logging_level));
  }
  void Write(int base, const Opaque& opaque) { Line(base, "opaque " + opaque.type); }
  void Write(int base, const Nested&) { Line(base, "nested"); }

  void Write(int base, const RetryPolicy& retry) {
    if (retry == RetryPolicy{}) return;
    Line(base,
         fmt::format("retry {} on [{}] codes [{}] after {} s times {}",
                     retry.max_attempts,
                     fmt::join(retry.on, ", "),
                     fmt::join(retry.exit_codes, ", "),
                     retry.delay_seconds,
                     retry.backoff));
    if (retry.memory_factor != 1) Line(base, fmt::format("memory times {}", retry.memory_factor));
  }
  void Write(int base, const ReusePolicy& reuse) {
    if (reuse == ReusePolicy{}) return;
    Line(base,
         fmt::format("reuse{}{} max_age={} salt='{}' ignore=[{}]",
                     reuse.enabled ? "" : " never",
                     reuse.read ? "" : " unread",
                     reuse.max_age_seconds,
                     reuse.salt,
                     fmt::join(reuse.ignore_inputs, ", ")));
  }

  void Write(int base, const Step& step) {
    Line(base, step.name.empty() ? "step" : "step " + step.name);
    Fact(base + 1, "display_name", step.display_name);
    Fact(base + 1, "description", step.description);
    Fact(base + 1, "component", step.component);
    Fact(base + 1, "component_version", step.component_version);
    Fact(base + 1, "command", step.command);
    if (const auto* code = std::get_if<LocalCode>(&step.code)) {
      Line(base + 1, "code: " + Path(code->path));
      for (const std::string& include : code->additional_includes)
        Line(base + 1, "include: " + Path(include));
    }
    if (const auto* code = std::get_if<Artifact>(&step.code)) {
      Line(base + 1, "code: " + ArtifactReference(*code));
    }
    Fact(base + 1, "environment", step.environment);
    Fact(base + 1, "environment_definition", step.environment_definition);
    Facts(base + 1, "env", step.environment_variables);
    if (step.resources != Resources{}) Fact(base + 1, "resources", ToString(step.resources));
    Fact(base + 1, "gpu_models", fmt::format("{}", fmt::join(step.gpu_models, ", ")));
    if (step.gpu_memory_bytes != 0) {
      Fact(base + 1, "gpu_memory", FormatBytes(step.gpu_memory_bytes));
    }
    Fact(base + 1, "compute", step.compute);
    if (step.instance_count != 1) Line(base + 1, fmt::format("instances: {}", step.instance_count));
    if (!step.distribution.type.empty()) {
      Line(base + 1,
           fmt::format("distribution: {} x{}",
                       step.distribution.type,
                       step.distribution.process_count_per_instance));
      Facts(base + 2, "property", step.distribution.properties);
    }
    if (step.timeout_seconds != 0) Line(base + 1, fmt::format("timeout: {}", step.timeout_seconds));
    Fact(base + 1, "depends_on", fmt::format("{}", fmt::join(step.depends_on, ", ")));
    Facts(base + 1, "label", step.labels);
    Fact(base + 1, "label_expression", step.label_expression);
    Facts(base + 1, "tag", step.tags);
    if (!step.deterministic) Line(base + 1, "not deterministic");
    Fact(base + 1, "when", step.when);
    if (step.finalizes) Line(base + 1, "finalizes");
    if (step.priority != 0) Line(base + 1, fmt::format("priority: {}", step.priority));
    if (step.preemptible) Line(base + 1, fmt::format("preemptible: {}", *step.preemptible));
    if (step.queue_timeout_seconds != 0) {
      Line(base + 1, fmt::format("queue_timeout: {}", step.queue_timeout_seconds));
    }
    Write(base + 1, step.retry);
    Write(base + 1, step.reuse);
    for (const Input& input : step.inputs) Write(base + 1, input);
    for (const Output& output : step.outputs) Write(base + 1, output);
    if (step.control == nullptr) return;
    std::visit([&](const auto& kind) { Write(base + 1, kind); }, step.control->kind);
    for (const Step& inner : step.control->body) Write(base + 2, inner);
  }

  void Write(const PipelineSpec& spec) {
    Line(0, spec.is_pipeline ? "pipeline" : "standalone");
    Fact(1, "name", spec.name);
    Fact(1, "display_name", spec.display_name);
    Fact(1, "description", spec.description);
    Fact(1, "experiment", spec.experiment_name);
    Facts(1, "tag", spec.tags);
    Facts(1, "property", spec.properties);
    Fact(1, "default_compute", spec.settings.default_compute);
    Fact(1, "default_datastore", spec.settings.default_datastore);
    if (!spec.settings.continue_on_step_failure) Line(1, "stop on step failure");
    if (spec.settings.force_rerun) Line(1, "force rerun");
    if (spec.settings.max_running_steps != 0) {
      Line(1, fmt::format("max running steps: {}", spec.settings.max_running_steps));
    }
    if (spec.settings.retention_seconds != 0) {
      Line(1, fmt::format("retention: {} s", spec.settings.retention_seconds));
    }
    for (const Input& input : spec.inputs) Write(1, input);
    for (const Output& output : spec.outputs) Write(1, output);
    for (const Step& step : spec.steps) Write(0, step);
  }

 private:
  static std::string Escaped(const std::string& text) {
    std::string escaped;
    for (const char character : text)
      escaped += character == '\n' ? "\\n" : std::string(1, character);
    return escaped;
  }

  std::string folder_;
  std::string text_;
};

}  // namespace

std::string SpecText(const PipelineSpec& spec, const std::string& folder) {
  Writer writer(folder);
  writer.Write(spec);
  return writer.Take();
}

}  // namespace potok::client
