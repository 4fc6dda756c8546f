#include "client/frontend/azureml/port.h"

#include <algorithm>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/scalar.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr const char* kTypes =
    "string, number, integer, boolean, uri_file, uri_folder, mltable, mlflow_model, custom_model "
    "or "
    "triton_model";

enum class Direction { kInput, kOutput };

bool HasExpression(const std::string& text) {
  return text.find("${{") != std::string::npos;
}

// The `type` of a port, or nothing.
std::optional<ValueType> ReadType(Fields* fields, const PortContext& context) {
  const YamlNode* node = fields->Scalar("type");
  if (node == nullptr) return std::nullopt;
  if (node->text == "path") return ValueType::kUriFolder;  // the name before uri_folder
  if (const auto type = ParseValueType(node->text)) return type;
  const std::string lower = absl::AsciiStrToLower(node->text);
  const bool is_case = ParseValueType(lower).has_value();
  context.reading->reporter.Error(
      node->at,
      is_case ? fmt::format("'{}' is not a type; write it in lower case: {}", node->text, lower)
              : fmt::format("'{}' is not a type; write {}", node->text, kTypes));
  return std::nullopt;
}

// Modes of the other direction are errors; names of old components that have no meaning here are
// the default.
Mode ReadMode(Fields* fields, Direction direction, const PortContext& context) {
  const YamlNode* node = fields->Scalar("mode");
  if (node == nullptr) return Mode::kDefault;
  const std::string word = absl::AsciiStrToLower(node->text);
  const bool is_input = direction == Direction::kInput;
  if (word == "mount") return is_input ? Mode::kRoMount : Mode::kRwMount;
  if (word == "link") return Mode::kDefault;
  const std::vector<std::string> allowed =
      is_input ? std::vector<std::string>{"ro_mount",
                                          "download",
                                          "direct",
                                          "eval_mount",
                                          "eval_download"}
               : std::vector<std::string>{"rw_mount", "upload", "direct"};
  const std::optional<Mode> mode = ParseMode(word);
  if (mode && std::ranges::find(allowed, word) != allowed.end()) return *mode;
  context.reading->reporter.Error(node->at,
                                  fmt::format("'{}' is not a mode of an {}; write one of {}",
                                              node->text,
                                              is_input ? "input" : "output",
                                              Joined(allowed)));
  return Mode::kDefault;
}

std::optional<double> ReadBound(Fields* fields, const std::string& key, Reporter* reporter) {
  const YamlNode* node = fields->Scalar(key);
  if (node == nullptr) return std::nullopt;
  double bound = 0;
  if (absl::SimpleAtod(TextFor(*node, ValueType::kNumber), &bound)) return bound;
  reporter->Error(
      node->at,
      fmt::format("{}: {} must be a number, but is '{}'", fields->what(), key, node->text));
  return std::nullopt;
}

// A literal for a port of a primitive type, as commands will see it. What does not fit is kept for
// Validate to refuse.
TextValue Literal(const YamlNode& scalar, ValueType type) {
  const std::string text = TextFor(scalar, type);
  if (HasExpression(text)) return TextValue{text};
  const absl::StatusOr<std::string> coerced = Coerce(text, type);
  return TextValue{coerced.ok() ? *coerced : text};
}

// The choices of `enum`, as texts of the port's type.
std::vector<std::string> ReadChoices(Fields* fields, ValueType type, Reporter* reporter) {
  std::vector<std::string> choices;
  const YamlNode* list = fields->List("enum");
  if (list == nullptr) return choices;
  for (const YamlNode* item : list->items) {
    if (item->IsScalar()) {
      choices.push_back(Literal(*item, type).text);
    } else {
      reporter->Error(
          item->at,
          fmt::format("{}: enum lists texts, but here is {}", fields->what(), NameOf(item->kind)));
    }
  }
  return choices;
}

// Replaces references to literals of the pipeline in a path, so that a local path can be looked up.
// A path that depends on more is left as it is.
std::string WithLiterals(const std::string& text, const PortContext& context) {
  const auto parts = ParseTemplate(text, TemplatePlace::kBinding);
  if (!parts.ok() || IsSingleExpression(*parts)) return text;
  std::string resolved;
  for (const TemplatePart& part : *parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      resolved += *literal;
      continue;
    }
    const auto* input = std::get_if<ParentInput>(&std::get<Expression>(part));
    if (input == nullptr) return text;
    const auto value = context.reading->literals.find(input->name);
    if (value == context.reading->literals.end()) return text;
    resolved += value->second;
  }
  return resolved;
}

// The value of a data input written as `scalar`: a binding, a path or a URI.
Binding ReadPath(const YamlNode& scalar, const PortContext& context, GivenInput* given) {
  const std::string text = context.is_node ? WithLiterals(scalar.text, context) : scalar.text;
  if (HasExpression(text)) return TextValue{text};
  ValueType* type = &given->input.type;
  const bool infer = !given->is_typed;
  given->is_typed = true;
  return ReadData(text, scalar.at, context.origin, infer, type, &context.reading->reporter);
}

void ReadScalarInput(const YamlNode& scalar,
                     const Input* declared,
                     const PortContext& context,
                     GivenInput* given) {
  Input& input = given->input;
  if (HasExpression(scalar.text)) {
    input.value = TextValue{scalar.text};
    given->is_typed = declared != nullptr;
  } else if (declared == nullptr) {
    const Scalar literal = ResolveScalar(scalar);
    input.type = literal.type;
    input.value = TextValue{literal.text};
    given->is_typed = false;
  } else if (IsPrimitive(declared->type)) {
    input.value = Literal(scalar, declared->type);
  } else {
    input.value = ReadPath(scalar, context, given);
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
  const std::optional<ValueType> type = ReadType(&fields, context);
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
  const Mode mode = ReadMode(&fields, Direction::kInput, context);
  if (mode != Mode::kDefault) input.mode = mode;
  if (const std::string text = fields.Text("description"); !text.empty()) input.description = text;
  fields.Ignore({"datastore", "name", "version", "is_deterministic"});
  fields.ReportUnknown(Severity::kError);
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

Input ReadDeclaredInput(const YamlEntry& entry, const PortContext& context) {
  Reporter* reporter = &context.reading->reporter;
  Input input;
  input.name = entry.key;
  Fields fields(entry.value, fmt::format("input '{}' of {}", entry.key, context.what), reporter);
  const std::optional<ValueType> type = ReadType(&fields, context);
  if (!type && fields.Value("type") == nullptr) {
    reporter->Error(entry.at, fmt::format("{} has no type; write {}", fields.what(), kTypes));
  }
  input.type = type.value_or(ValueType::kString);
  input.optional = fields.Flag("optional").value_or(false);
  input.description = fields.Text("description");
  input.min = ReadBound(&fields, "min", reporter);
  input.max = ReadBound(&fields, "max", reporter);
  input.choices = ReadChoices(&fields, input.type, reporter);
  // Old components declare modes of outputs for inputs too; a step's inputs are read-only here.
  const std::string word = absl::AsciiStrToLower(fields.RawText("mode"));
  if (word != "rw_mount" && word != "upload") {
    input.mode = ReadMode(&fields, Direction::kInput, context);
  }
  if (const YamlNode* value = fields.Scalar("default")) {
    GivenInput given{input, true};
    const Input declared = input;
    ReadScalarInput(*value, &declared, context, &given);
    input.value = given.input.value;
  }
  fields.ReportUnknown(Severity::kWarning);
  return input;
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
  Output& output = given->output;
  Fields fields(&map,
                fmt::format("output '{}' of {}", output.name, context.what),
                &context.reading->reporter,
                ResolverOf(context.reading));
  const std::optional<ValueType> type = ReadType(&fields, context);
  if (type) output.type = *type;
  given->is_typed = type.has_value() || declared != nullptr;
  const Mode mode = ReadMode(&fields, Direction::kOutput, context);
  if (mode != Mode::kDefault) output.mode = mode;
  if (const YamlNode* path = fields.Scalar("path")) ReadDestination(*path, context, &output);
  output.asset_name = fields.Text("name");
  output.asset_version = fields.Text("version");
  fields.Ignore({"description", "datastore", "is_control", "early_available", "optional"});
  fields.ReportUnknown(Severity::kError);
}

}  // namespace

std::vector<Input> ReadDeclaredInputs(const YamlNode* map, const PortContext& context) {
  std::vector<Input> inputs;
  if (map == nullptr) return inputs;
  for (const YamlEntry& entry : map->entries) inputs.push_back(ReadDeclaredInput(entry, context));
  return inputs;
}

std::vector<Output> ReadDeclaredOutputs(const YamlNode* map, const PortContext& context) {
  std::vector<Output> outputs;
  if (map == nullptr) return outputs;
  for (const YamlEntry& entry : map->entries) {
    outputs.push_back(ReadGivenOutput(entry, nullptr, context).output);
  }
  return outputs;
}

GivenInput ReadGivenInput(const YamlEntry& entry,
                          const Input* declared,
                          const PortContext& context) {
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
