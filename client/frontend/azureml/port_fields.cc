#include "client/frontend/azureml/port_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "client/frontend/azureml/scalar.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"

namespace potok::client {

const char* const kTypeNames =
    "string, number, integer, boolean, uri_file, uri_folder, mltable, mlflow_model, custom_model "
    "or "
    "triton_model";

bool HasExpression(const std::string& text) {
  return text.find("${{") != std::string::npos;
}

std::optional<ValueType> ReadType(Fields* fields, Reporter* reporter) {
  const YamlNode* node = fields->Scalar("type");
  if (node == nullptr) return std::nullopt;
  if (node->text == "path") return ValueType::kUriFolder;  // the name before uri_folder
  if (const auto type = ParseValueType(node->text)) return type;
  const std::string lower = absl::AsciiStrToLower(node->text);
  const bool is_case = ParseValueType(lower).has_value();
  reporter->Error(
      node->at,
      is_case ? fmt::format("'{}' is not a type; write it in lower case: {}", node->text, lower)
              : fmt::format("'{}' is not a type; write {}", node->text, kTypeNames));
  return std::nullopt;
}

Mode ReadMode(Fields* fields, Direction direction, Reporter* reporter) {
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
  reporter->Error(node->at,
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

TextValue Literal(const YamlNode& scalar, ValueType type) {
  const std::string text = TextFor(scalar, type);
  if (HasExpression(text)) return TextValue{text};
  const absl::StatusOr<std::string> coerced = Coerce(text, type);
  return TextValue{coerced.ok() ? *coerced : text};
}

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

}  // namespace potok::client
