#include "client/frontend/azureml/yaml_json.h"

#include <algorithm>
#include <cctype>

#include "client/frontend/azureml/scalar.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

enum class ScalarForm { kText, kValue, kAsWritten };

// The grammar of a number in RFC 8259, section 6.
bool IsJsonNumber(const std::string& text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool begins_with_zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (begins_with_zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string JsonOfScalar(const YamlNode& node, ScalarForm form) {
  if (form == ScalarForm::kText || !node.is_plain) return QuotedJson(node.text);
  const Scalar scalar = ResolveScalar(node);
  const bool is_number = scalar.type == ValueType::kInteger || scalar.type == ValueType::kNumber;
  if (form == ScalarForm::kAsWritten) {
    const bool is_literal = node.text == "true" || node.text == "false";
    return is_literal ? node.text : QuotedJson(node.text);
  }
  if (scalar.type == ValueType::kBoolean) return scalar.text == "True" ? "true" : "false";
  return is_number && IsJsonNumber(scalar.text) ? scalar.text : QuotedJson(node.text);
}

std::string JsonOf(const YamlNode& node, ScalarForm form) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return JsonOfScalar(node, form);
    case YamlNode::Kind::kList: {
      std::string json;
      for (const YamlNode* item : node.items) {
        json += (json.empty() ? "" : ",") + JsonOf(*item, form);
      }
      return "[" + json + "]";
    }
    case YamlNode::Kind::kMap:
      break;
  }
  std::vector<const YamlEntry*> entries;
  for (const YamlEntry& entry : node.entries) entries.push_back(&entry);
  std::ranges::sort(entries, {}, &YamlEntry::key);
  std::string json;
  for (const YamlEntry* entry : entries) {
    const bool is_of_port =
        entry->key == "default" || entry->key == "value" || entry->key == "enum";
    const ScalarForm inner =
        form == ScalarForm::kValue && is_of_port ? ScalarForm::kAsWritten : form;
    json += (json.empty() ? "" : ",") + QuotedJson(entry->key) + ":" + JsonOf(*entry->value, inner);
  }
  return "{" + json + "}";
}

}  // namespace

std::string QuotedJson(const std::string& text) {
  std::string json = "\"";
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      json += {'\\', character};
    } else if (character == '\n') {
      json += "\\n";
    } else if (code < 0x20) {
      json += fmt::format("\\u{:04x}", code);
    } else {
      json.push_back(character);
    }
  }
  return json + "\"";
}

std::string JsonOfTexts(const YamlNode& node) {
  return JsonOf(node, ScalarForm::kText);
}

std::string JsonOfValues(const YamlNode& node) {
  return JsonOf(node, ScalarForm::kValue);
}

}  // namespace potok::client
