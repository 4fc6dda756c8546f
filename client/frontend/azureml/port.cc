#include "client/frontend/azureml/port.h"

#include <filesystem>
#include <system_error>
#include <variant>

#include "client/frontend/azureml/port_fields.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "common/pipeline/artifact_reference.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Remembers a port as broken if an error is reported while it is read.
class BreakageMark {
 public:
  BreakageMark(std::string port, const PortContext& context)
      : port_(std::move(port)), context_(context), errors_(context.reading->reporter.errors()) {}
  BreakageMark(const BreakageMark&) = delete;
  BreakageMark& operator=(const BreakageMark&) = delete;
  ~BreakageMark() {
    if (context_.reading->reporter.errors() == errors_) return;
    context_.reading->broken.insert(context_.where + port_);
  }

 private:
  const std::string port_;
  const PortContext& context_;
  const std::size_t errors_;
};

// Replaces each reference to a literal of the pipeline, so that a local path can be looked up. A
// path that is one reference as a whole, and references to anything else, stay as they are.
std::string WithLiterals(const std::string& text, const PortContext& context) {
  std::string resolved;
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t open = text.find("${{", position);
    const std::size_t close = text.find("}}", open);
    if (close == std::string::npos) break;
    resolved += text.substr(position, open - position);
    position = close + 2;
    const std::string spelling = text.substr(open, position - open);
    if (spelling == text) return text;
    const auto parts = ParseTemplate(spelling, TemplatePlace::kBinding);
    const auto* parent =
        parts.ok() ? std::get_if<ParentInput>(&std::get<Expression>(parts->front())) : nullptr;
    const auto& literals = context.reading->scope->literals;
    const auto value = parent == nullptr ? literals.end() : literals.find(parent->name);
    resolved += value == literals.end() ? spelling : value->second;
  }
  return resolved + text.substr(position);
}

// Data that is not there, a file or something registered, where that is not an error (yet).
std::optional<Binding> ReadMissing(const std::string& text,
                                   const Place& at,
                                   const PortContext& context,
                                   const GivenInput& given) {
  if (context.missing == PortContext::Missing::kError) return std::nullopt;
  if (IsArtifactReference(text)) return std::nullopt;
  const absl::StatusOr<DataReference> reference = ParseDataReference(text);
  if (!reference.ok()) return std::nullopt;
  Binding value = UriValue{reference->text};
  std::string message;
  if (reference->is_local) {
    const std::string path = AbsoluteFrom(context.origin, reference->text);
    std::error_code error;
    if (std::filesystem::exists(path, error)) return std::nullopt;
    message = MissingData(text, path);
    value = LocalPath{path};
  } else {
    message = WhyNotRegistered(reference->text, given.input.type, context.reading);
    if (message.empty()) return std::nullopt;
  }
  if (context.missing == PortContext::Missing::kLater) {
    context.reading->missing.push_back({given.input.name, at, message});
  } else {
    context.reading->reporter.Warning(at, message);
  }
  return value;
}

// The value of a data input written as `scalar`: a binding, a path or a URI.
Binding ReadPath(const YamlNode& scalar, const PortContext& context, GivenInput* given) {
  const std::string text = context.is_node ? WithLiterals(scalar.text, context) : scalar.text;
  if (HasExpression(text)) return TextValue{text};
  ValueType* type = &given->input.type;
  const bool infer = !given->is_typed;
  given->is_typed = true;
  if (const std::optional<Binding> missing = ReadMissing(text, scalar.at, context, *given)) {
    return *missing;
  }
  const std::string where = context.where + "inputs." + given->input.name;
  return ReadData(text, scalar.at, context.origin, infer, where, type, context.reading);
}

void ReadScalarInput(const YamlNode& scalar,
                     const Input* declared,
                     const PortContext& context,
                     GivenInput* given) {
  Input& input = given->input;
  if (declared != nullptr && !IsPrimitive(declared->type)) {
    input.value = ReadPath(scalar, context, given);
  } else if (HasExpression(scalar.text)) {
    input.value = TextValue{scalar.text};
    given->is_typed = declared != nullptr;
  } else if (declared == nullptr) {
    const Scalar literal = ResolveScalar(scalar);
    input.type = literal.type;
    input.value = TextValue{literal.text};
    given->is_typed = false;
  } else {
    input.value = Literal(scalar, declared->type);
  }
}

// {type, path, mode} and {type, value}.
void ReadMapInput(const YamlNode& map,
                  const Input* declared,
                  const PortContext& context,
                  GivenInput* given) {
  Reporter* reporter = &context.reading->reporter;
  Input& input = given->input;
  Fields fields(&map, fmt::format("input '{}' of {}", input.name, context.what), reporter);
  const std::optional<ValueType> type = ReadType(&fields, reporter);
  const YamlNode* path = fields.Scalar("path");
  const YamlNode* value = fields.Scalar("value");
  if (value == nullptr) value = fields.Scalar("default");
  if (declared == nullptr) {
    input.type = type.value_or(ValueType::kUriFolder);
    given->is_typed = type.has_value();
    input.optional = fields.Flag("optional").value_or(false);
    input.min = ReadBound(&fields, "min", reporter);
    input.max = ReadBound(&fields, "max", reporter);
    input.choices = ReadChoices(&fields, input.type, reporter);
  }
  const Mode mode = ReadMode(&fields, Direction::kInput, reporter);
  if (mode != Mode::kDefault) input.mode = mode;
  if (const std::string text = fields.Text("description"); !text.empty()) input.description = text;
  fields.Ignore({"datastore", "name", "version", "is_deterministic"});
  fields.ReportUnknown(context.unknown);
  if (path != nullptr && value != nullptr) {
    reporter->Error(value->at,
                    fmt::format("{} has both a path and a value; keep one", fields.what()));
  } else if (path != nullptr) {
    if (IsPrimitive(input.type) && !HasExpression(path->text)) {
      reporter->Error(path->at,
                      fmt::format("{} is of type {} and takes no path; write value: instead",
                                  fields.what(),
                                  NameOf(input.type)));
      return;
    }
    input.value = ReadPath(*path, context, given);
  } else if (value != nullptr) {
    const Input typed = input;
    const bool has_type = declared != nullptr || type.has_value();
    ReadScalarInput(*value, has_type ? &typed : nullptr, context, given);
  }
}

// `path` of an output: a promotion, or a destination.
void ReadDestination(const YamlNode& path, const PortContext& context, Output* output) {
  if (!HasExpression(path.text)) {
    output->path = path.text;
    return;
  }
  const auto parts = ParseTemplate(path.text, TemplatePlace::kBinding);
  if (parts.ok() && IsSingleExpression(*parts)) {
    if (const auto* parent = std::get_if<ParentOutput>(&std::get<Expression>(parts->front()))) {
      output->promoted_to = parent->name;
      return;
    }
  }
  output->path = WithLiterals(path.text, context);
}

void ReadMapOutput(const YamlNode& map,
                   const Output* declared,
                   const PortContext& context,
                   GivenOutput* given) {
  Reporter* reporter = &context.reading->reporter;
  Output& output = given->output;
  Fields fields(&map,
                fmt::format("output '{}' of {}", output.name, context.what),
                reporter,
                ResolverOf(context.reading));
  const std::optional<ValueType> type = ReadType(&fields, reporter);
  if (type) output.type = *type;
  given->is_typed = type.has_value() || declared != nullptr;
  const Mode mode = ReadMode(&fields, Direction::kOutput, reporter);
  if (mode != Mode::kDefault) output.mode = mode;
  if (const YamlNode* path = fields.Scalar("path")) ReadDestination(*path, context, &output);
  output.asset_name = fields.Text("name");
  output.asset_version = VersionText(fields.Scalar("version"));
  if (const auto is_control = fields.Flag("is_control")) output.control = *is_control;
  if (const auto is_early = fields.Flag("early_available")) output.early_available = *is_early;
  fields.Ignore({"description", "datastore", "optional"});
  fields.ReportUnknown(context.unknown);
}

}  // namespace

GivenInput ReadGivenInput(const YamlEntry& entry,
                          const Input* declared,
                          const PortContext& context) {
  const BreakageMark mark("inputs." + entry.key, context);
  GivenInput given;
  if (declared != nullptr) given.input = *declared;
  given.input.name = entry.key;
  const YamlNode& value = *entry.value;
  Reporter* reporter = &context.reading->reporter;
  switch (value.kind) {
    case YamlNode::Kind::kNull:
      if (declared == nullptr || !declared->optional) {
        reporter->Error(
            entry.at,
            fmt::format("input '{}' of {} has no value; write one, or leave the input out",
                        entry.key,
                        context.what));
      }
      given.input.value = std::monostate();
      break;
    case YamlNode::Kind::kList:
      reporter->Error(value.at,
                      fmt::format("input '{}' of {} is a list; an input is a text, a number, a "
                                  "boolean, or a map with a path",
                                  entry.key,
                                  context.what));
      break;
    case YamlNode::Kind::kScalar:
      ReadScalarInput(value, declared, context, &given);
      break;
    case YamlNode::Kind::kMap:
      ReadMapInput(value, declared, context, &given);
      break;
  }
  return given;
}

GivenOutput ReadGivenOutput(const YamlEntry& entry,
                            const Output* declared,
                            const PortContext& context) {
  const BreakageMark mark("outputs." + entry.key, context);
  GivenOutput given;
  if (declared != nullptr) given.output = *declared;
  given.output.name = entry.key;
  given.is_typed = declared != nullptr;
  const YamlNode& value = *entry.value;
  if (value.IsMap()) {
    ReadMapOutput(value, declared, context, &given);
  } else if (value.IsScalar()) {
    Output promoted;
    if (context.is_node) ReadDestination(value, context, &promoted);
    given.output.promoted_to = promoted.promoted_to;
    if (promoted.promoted_to.empty()) {
      context.reading->reporter.Error(
          value.at,
          fmt::format("output '{}' of {} is '{}'; leave it empty, write {}a map with type, mode or "
                      "path",
                      entry.key,
                      context.what,
                      value.text,
                      context.is_node ? "${{parent.outputs.NAME}}, or " : ""));
    }
  } else if (value.IsList()) {
    context.reading->reporter.Error(
        value.at,
        fmt::format("output '{}' of {} is a list; leave it empty or write a map with type, mode or "
                    "path",
                    entry.key,
                    context.what));
  }
  return given;
}

}  // namespace potok::client
