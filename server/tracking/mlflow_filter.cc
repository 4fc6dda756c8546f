#include "server/tracking/mlflow_filter.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Of = TrackedCondition::Of;

struct FilterToken {
  enum class Kind { kWord, kQuoted, kComparator, kOpen, kClose, kComma, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
  std::size_t at = 0;
};
using Kind = FilterToken::Kind;

bool IsSpace(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// Where a word ends; in it, a name may stand in ` or ", as in metrics.`a b`.
std::size_t EndOfWord(const std::string& text, std::size_t at) {
  while (at < text.size() && !IsSpace(text[at]) &&
         std::string("=<>!(),'").find(text[at]) == std::string::npos) {
    if (text[at] == '`' || text[at] == '"') {
      const std::size_t end = text.find(text[at], at + 1);
      if (end == std::string::npos) return text.size();
      at = end;
    }
    ++at;
  }
  return at;
}

class FilterReader {
 public:
  explicit FilterReader(const std::string& text) : text_(text) {}

  absl::StatusOr<std::vector<TrackedCondition>> Read() {
    std::vector<TrackedCondition> conditions;
    POTOK_RETURN_IF_ERROR(Next());
    while (token_.kind != Kind::kEnd) {
      POTOK_RETURN_IF_ERROR(ReadCondition(&conditions.emplace_back()));
      if (token_.kind == Kind::kEnd) break;
      if (!IsWord("AND")) return Wrong("AND, the only way to join conditions,");
      POTOK_RETURN_IF_ERROR(Next());
      if (token_.kind == Kind::kEnd) return Wrong("a condition");
    }
    return conditions;
  }

 private:
  absl::Status Wrong(const std::string& wanted) const {
    return absl::InvalidArgumentError(
        fmt::format("Invalid filter '{}': {} is wanted at character {}, not '{}'",
                    text_,
                    wanted,
                    token_.at + 1,
                    token_.text));
  }

  bool IsWord(const char* word) const {
    return token_.kind == Kind::kWord && absl::AsciiStrToUpper(token_.text) == word;
  }

  absl::Status Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    token_ = {Kind::kEnd, "", at_};
    if (at_ == text_.size()) return absl::OkStatus();
    const char c = text_[at_];
    std::size_t end = at_ + 1;
    if (c == '(' || c == ')' || c == ',') {
      token_.kind = c == '(' ? Kind::kOpen : c == ')' ? Kind::kClose : Kind::kComma;
    } else if (std::string("=<>!").find(c) != std::string::npos) {
      token_.kind = Kind::kComparator;
      if (end < text_.size() && text_[end] == '=') ++end;
    } else if (c == '\'' || c == '"') {
      token_.kind = Kind::kQuoted;
      end = text_.find(c, at_ + 1);
      if (end == std::string::npos) {
        token_.text = text_.substr(at_);
        return Wrong("a closing quote of what begins");
      }
      token_.text = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return absl::OkStatus();
    } else {
      token_.kind = Kind::kWord;
      end = EndOfWord(text_, at_);
    }
    token_.text = text_.substr(at_, end - at_);
    at_ = end;
    return absl::OkStatus();
  }

  absl::Status ReadCondition(TrackedCondition* condition);
  absl::Status ReadComparator(TrackedCondition* condition);
  absl::Status ReadValue(TrackedCondition* condition);

  const std::string& text_;
  std::size_t at_ = 0;
  FilterToken token_;
};

// What MLflow's search takes of attributes, and whether it is a number.
const std::map<std::string, bool>& Attributes() {
  static const std::map<std::string, bool> kAttributes = {{"run_id", false},
                                                          {"run_name", false},
                                                          {"status", false},
                                                          {"user_id", false},
                                                          {"artifact_uri", false},
                                                          {"experiment_id", false},
                                                          {"start_time", true},
                                                          {"end_time", true},
                                                          {"created", true}};
  return kAttributes;
}

bool IsNumber(Of of, const std::string& name) {
  if (of == Of::kAttribute) return Attributes().at(name);
  return of == Of::kMetric;
}

std::string Unquoted(std::string text) {
  if (text.size() >= 2 && (text.front() == '`' || text.front() == '"') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

// "metrics.rmse", "params.`a b`", "status".
absl::StatusOr<std::pair<Of, std::string>> Subject(const std::string& text) {
  static const std::map<std::string, Of> kKinds = {{"metric", Of::kMetric},
                                                   {"metrics", Of::kMetric},
                                                   {"param", Of::kParam},
                                                   {"params", Of::kParam},
                                                   {"parameter", Of::kParam},
                                                   {"parameters", Of::kParam},
                                                   {"tag", Of::kTag},
                                                   {"tags", Of::kTag},
                                                   {"attribute", Of::kAttribute},
                                                   {"attributes", Of::kAttribute},
                                                   {"attr", Of::kAttribute},
                                                   {"run", Of::kAttribute}};
  const std::size_t dot = text.find('.');
  std::pair<Of, std::string> subject{Of::kAttribute, Unquoted(text)};
  if (dot != std::string::npos) {
    const auto kind = kKinds.find(absl::AsciiStrToLower(Unquoted(text.substr(0, dot))));
    if (kind == kKinds.end()) {
      return absl::InvalidArgumentError(
          fmt::format("Invalid entity type '{}': it is metrics, params, tags or attributes",
                      text.substr(0, dot)));
    }
    subject = {kind->second, Unquoted(text.substr(dot + 1))};
  }
  if (subject.second.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid key '{}': there is no name behind the dot", text));
  }
  if (subject.first != Of::kAttribute) return subject;
  static const std::map<std::string, std::string> kAliases = {{"run id", "run_id"},
                                                              {"run name", "run_name"},
                                                              {"Run name", "run_name"},
                                                              {"Created", "created"},
                                                              {"Start Time", "start_time"},
                                                              {"start time", "start_time"}};
  if (const auto alias = kAliases.find(subject.second); alias != kAliases.end()) {
    subject.second = alias->second;
  }
  if (!Attributes().contains(subject.second)) {
    return absl::InvalidArgumentError(fmt::format(
        "Invalid attribute key '{}': it is run_id, run_name, status, user_id, start_time, end_time "
        "or experiment_id; metrics, params and tags are written as metrics.NAME",
        subject.second));
  }
  return subject;
}

absl::Status FilterReader::ReadCondition(TrackedCondition* condition) {
  // A quoted name alone is an attribute.
  if (token_.kind != Kind::kWord && token_.kind != Kind::kQuoted) return Wrong("a name");
  POTOK_ASSIGN_OR_RETURN(const auto subject, Subject(token_.text));
  condition->of = subject.first;
  condition->name = subject.second;
  POTOK_RETURN_IF_ERROR(Next());
  POTOK_RETURN_IF_ERROR(ReadComparator(condition));
  return ReadValue(condition);
}

absl::Status FilterReader::ReadComparator(TrackedCondition* condition) {
  const bool is_number = IsNumber(condition->of, condition->name);
  std::string comparator = absl::AsciiStrToUpper(token_.text);
  if (IsWord("NOT")) {
    POTOK_RETURN_IF_ERROR(Next());
    if (!IsWord("IN")) return Wrong("IN");
    comparator = "NOT IN";
  }
  static const std::array kOfNumbers = {"=", "!=", ">", ">=", "<", "<="};
  static const std::array kOfTexts = {"=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"};
  const bool known = is_number ? std::ranges::find(kOfNumbers, comparator) != kOfNumbers.end()
                               : std::ranges::find(kOfTexts, comparator) != kOfTexts.end();
  if (!known) {
    return Wrong(is_number ? "one of =, !=, >, >=, <, <= behind a number's name"
                           : "one of =, !=, LIKE, ILIKE, IN behind a text's name");
  }
  condition->comparator = comparator;
  return Next();
}

absl::Status FilterReader::ReadValue(TrackedCondition* condition) {
  if (IsNumber(condition->of, condition->name)) {
    if (token_.kind != Kind::kWord || !absl::SimpleAtod(token_.text, &condition->number)) {
      return Wrong("a number");
    }
    return Next();
  }
  const bool is_list = condition->comparator == "IN" || condition->comparator == "NOT IN";
  if (!is_list) {
    if (token_.kind != Kind::kQuoted) return Wrong("a text in quotes");
    condition->texts.push_back(token_.text);
    return Next();
  }
  if (token_.kind != Kind::kOpen) return Wrong("a list in parentheses");
  do {
    POTOK_RETURN_IF_ERROR(Next());
    if (token_.kind != Kind::kQuoted) return Wrong("a text in quotes");
    condition->texts.push_back(token_.text);
    POTOK_RETURN_IF_ERROR(Next());
  } while (token_.kind == Kind::kComma);
  if (token_.kind != Kind::kClose) return Wrong("a closing parenthesis");
  return Next();
}

}  // namespace

absl::StatusOr<std::vector<TrackedCondition>> ParseFilter(const std::string& filter) {
  return FilterReader(filter).Read();
}

absl::StatusOr<TrackedOrder> ParseOrder(const std::string& order) {
  std::string text(absl::StripAsciiWhitespace(order));
  TrackedOrder out;
  for (const bool ascending : {true, false}) {
    const std::string word = ascending ? " ASC" : " DESC";
    if (text.size() > word.size() &&
        absl::AsciiStrToUpper(text.substr(text.size() - word.size())) == word) {
      out.ascending = ascending;
      text = std::string(absl::StripAsciiWhitespace(text.substr(0, text.size() - word.size())));
      break;
    }
  }
  POTOK_ASSIGN_OR_RETURN(const auto subject, Subject(text));
  out.of = subject.first;
  out.name = subject.second;
  return out;
}

}  // namespace potok::server
