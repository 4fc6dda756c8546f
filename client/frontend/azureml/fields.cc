#include "client/frontend/azureml/fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "client/frontend/azureml/scalar.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

Fields::Fields(const YamlNode* map, std::string what, Reporter* reporter, Resolver resolve)
    : map_(map), what_(std::move(what)), reporter_(reporter), resolve_(std::move(resolve)) {
  if (map_ == nullptr || map_->IsMap()) return;
  if (!map_->IsNull()) {
    reporter_->Error(map_->at,
                     fmt::format("{} must be a map, but is {}", what_, NameOf(map_->kind)));
  }
  map_ = nullptr;
}

const YamlNode* Fields::Value(const std::string& key) {
  Ignore({key});
  if (map_ == nullptr) return nullptr;
  const YamlEntry* entry = map_->Find(key);
  return entry == nullptr || entry->value->IsNull() ? nullptr : entry->value;
}

const YamlNode* Fields::OfKind(const std::string& key, YamlNode::Kind kind, const char* wanted) {
  const YamlNode* value = Value(key);
  if (value == nullptr || value->kind == kind) return value;
  reporter_->Error(
      value->at,
      fmt::format("{}: {} must be {}, but is {}", what_, key, wanted, NameOf(value->kind)));
  return nullptr;
}

const YamlNode* Fields::Map(const std::string& key) {
  return OfKind(key, YamlNode::Kind::kMap, "a map");
}
const YamlNode* Fields::List(const std::string& key) {
  return OfKind(key, YamlNode::Kind::kList, "a list");
}
const YamlNode* Fields::Scalar(const std::string& key) {
  return OfKind(key, YamlNode::Kind::kScalar, "a text");
}

std::string Fields::Resolved(const YamlNode& scalar) const {
  if (resolve_ == nullptr || scalar.text.find("${{") == std::string::npos) return scalar.text;
  return resolve_(scalar.text, scalar.at).value_or("");
}

std::string Fields::Text(const std::string& key) {
  const YamlNode* scalar = Scalar(key);
  return scalar == nullptr ? "" : Resolved(*scalar);
}

std::string Fields::RawText(const std::string& key) {
  const YamlNode* scalar = Scalar(key);
  return scalar == nullptr ? "" : scalar->text;
}

std::string Fields::Word(const std::string& key) {
  return absl::AsciiStrToLower(Text(key));
}

std::optional<bool> Fields::Flag(const std::string& key) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return std::nullopt;
  const client::Scalar value = ResolveScalar(*scalar);
  const std::string word =
      absl::AsciiStrToLower(value.type == ValueType::kBoolean ? value.text : Resolved(*scalar));
  if (word == "true") return true;
  if (word == "false") return false;
  reporter_->Error(
      scalar->at,
      fmt::format("{}: {} must be true or false, but is '{}'", what_, key, scalar->text));
  return std::nullopt;
}

std::optional<std::int64_t> Fields::Whole(const std::string& key,
                                          std::int64_t min,
                                          std::int64_t max) {
  const YamlNode* scalar = Scalar(key);
  if (scalar == nullptr) return std::nullopt;
  const client::Scalar value = ResolveScalar(*scalar);
  const std::string text = value.type == ValueType::kInteger ? value.text : Resolved(*scalar);
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= min && number <= max) return number;
  reporter_->Error(
      scalar->at,
      fmt::format(
          "{}: {} must be a whole number from {} to {}, but is '{}'", what_, key, min, max, text));
  return std::nullopt;
}

std::map<std::string, std::string> Fields::Texts(const std::string& key, Strictness strictness) {
  std::map<std::string, std::string> texts;
  const YamlNode* map = Map(key);
  if (map == nullptr) return texts;
  for (const YamlEntry& entry : map->entries) {
    const YamlNode& value = *entry.value;
    if (value.IsScalar()) {
      if (strictness == Strictness::kTextsOnly && ResolveScalar(value).type != ValueType::kString) {
        reporter_->Error(value.at,
                         fmt::format("{}: {}.{} must be a text; write \"{}\" in quotes",
                                     what_,
                                     key,
                                     entry.key,
                                     value.text));
      }
      texts[entry.key] = Resolved(value);
    } else if (value.IsNull() && strictness == Strictness::kAnyScalar) {
      texts[entry.key] = "";
    } else {
      reporter_->Error(
          value.at,
          fmt::format(
              "{}: {}.{} must be a text, but is {}", what_, key, entry.key, NameOf(value.kind)));
    }
  }
  return texts;
}

std::vector<std::string> Fields::TextList(const std::string& key) {
  std::vector<std::string> texts;
  const YamlNode* list = List(key);
  if (list == nullptr) return texts;
  for (const YamlNode* item : list->items) {
    if (item->IsScalar()) {
      texts.push_back(item->text);
    } else {
      reporter_->Error(
          item->at,
          fmt::format("{}: {} lists texts, but here is {}", what_, key, NameOf(item->kind)));
    }
  }
  return texts;
}

void Fields::Ignore(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  }
}

void Fields::ReportUnknown(Severity severity) {
  if (map_ == nullptr) return;
  for (const YamlEntry& entry : map_->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    reporter_->Report(
        severity,
        entry.at,
        fmt::format("{} has no key '{}'{}", what_, entry.key, SuggestionFor(entry.key, known_)));
  }
}

Place Fields::At(const std::string& key) const {
  if (map_ == nullptr) return {};
  const YamlEntry* entry = map_->Find(key);
  return entry == nullptr ? map_->at : entry->Best();
}

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace potok::client
