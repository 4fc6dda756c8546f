#include "tests/client/frontend/spec_text.h"

#include "common/base/overloaded.h"
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
                   [](const Artifact&) { return std::string(" = artifact"); }},
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
    Line(depth, line);
  }

  void Write(const Step& step) {
    Line(0, "step " + step.name);
    Fact(1, "display_name", step.display_name);
    Fact(1, "description", step.description);
    Fact(1, "component", step.component);
    Fact(1, "component_version", step.component_version);
    Fact(1, "command", step.command);
    if (const auto* code = std::get_if<LocalCode>(&step.code)) {
      Line(1, "code: " + Path(code->path));
      for (const std::string& include : code->additional_includes)
        Line(1, "include: " + Path(include));
    }
    Fact(1, "environment", step.environment);
    Facts(1, "env", step.environment_variables);
    if (step.resources != Resources{}) Fact(1, "resources", ToString(step.resources));
    Fact(1, "compute", step.compute);
    if (step.instance_count != 1) Line(1, fmt::format("instances: {}", step.instance_count));
    if (!step.distribution.type.empty()) {
      Line(1,
           fmt::format("distribution: {} x{}",
                       step.distribution.type,
                       step.distribution.process_count_per_instance));
      Facts(2, "property", step.distribution.properties);
    }
    if (step.timeout_seconds != 0) Line(1, fmt::format("timeout: {}", step.timeout_seconds));
    Fact(1, "depends_on", fmt::format("{}", fmt::join(step.depends_on, ", ")));
    Facts(1, "label", step.labels);
    Facts(1, "tag", step.tags);
    if (!step.deterministic) Line(1, "not deterministic");
    for (const Input& input : step.inputs) Write(1, input);
    for (const Output& output : step.outputs) Write(1, output);
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
    for (const Input& input : spec.inputs) Write(1, input);
    for (const Output& output : spec.outputs) Write(1, output);
    for (const Step& step : spec.steps) Write(step);
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
