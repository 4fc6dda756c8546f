#include "client/cli/text/query_functions.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/match.h"
#include "client/cli/text/nearest.h"
#include "client/cli/text/query_types.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Arguments = std::vector<Argument>;
using Result = absl::StatusOr<Value>;

const std::string& Text(const Argument& argument) {
  return *argument.value.AsText();
}
const Array& Items(const Argument& argument) {
  return *argument.value.AsArray();
}
const Object& Members(const Argument& argument) {
  return *argument.value.AsObject();
}

Result Contains(const Arguments& a) {
  if (const std::string* text = a[0].value.AsText()) {
    const std::string* part = a[1].value.AsText();
    return Value(part != nullptr && text->find(*part) != std::string::npos);
  }
  return Value(std::any_of(Items(a[0]).begin(), Items(a[0]).end(), [&](const Value& item) {
    return AreEqual(item, a[1].value);
  }));
}

Result Length(const Arguments& a) {
  std::size_t length = 0;
  if (const std::string* text = a[0].value.AsText()) length = Characters(*text).size();
  if (const Array* array = a[0].value.AsArray()) length = array->size();
  if (const Object* object = a[0].value.AsObject()) length = object->size();
  return Value(static_cast<std::int64_t>(length));
}

Result Reverse(const Arguments& a) {
  if (const std::string* text = a[0].value.AsText()) {
    std::string reversed;
    for (const std::string& character : Characters(*text)) reversed.insert(0, character);
    return Value(reversed);
  }
  return Value(Array(Items(a[0]).rbegin(), Items(a[0]).rend()));
}

Result Join(const Arguments& a) {
  std::string joined;
  for (std::size_t i = 0; i < Items(a[1]).size(); ++i) {
    joined += (i == 0 ? "" : Text(a[0])) + *Items(a[1])[i].AsText();
  }
  return Value(joined);
}

Result Keys(const Arguments& a) {
  Array keys;
  for (const auto& [key, member] : Members(a[0])) keys.emplace_back(key);
  return Value(std::move(keys));
}

Result Values(const Arguments& a) {
  Array values;
  for (const auto& [key, member] : Members(a[0])) values.push_back(member);
  return Value(std::move(values));
}

Result Merge(const Arguments& a) {
  Object merged;
  for (const Argument& argument : a) {
    for (const Member& member : Members(argument)) {
      const auto known = std::find_if(merged.begin(), merged.end(), [&](const Member& one) {
        return one.first == member.first;
      });
      if (known == merged.end()) {
        merged.push_back(member);
      } else {
        known->second = member.second;
      }
    }
  }
  return Value(std::move(merged));
}

Result Map(const Arguments& a) {
  Array mapped;
  for (const Value& item : Items(a[1])) {
    POTOK_ASSIGN_OR_RETURN(Value value, a[0].each(item));
    mapped.push_back(std::move(value));
  }
  return Value(std::move(mapped));
}

Result NotNull(const Arguments& a) {
  for (const Argument& argument : a) {
    if (!argument.value.IsNull()) return argument.value;
  }
  return Value();
}

Result TypeName(const Arguments& a) {
  return Value(NamesOf(TypeOf(a[0].value)));
}

Result ToArray(const Arguments& a) {
  if (a[0].value.AsArray() != nullptr) return a[0].value;
  return Value(Array{a[0].value});
}

Result ToText(const Arguments& a) {
  if (a[0].value.AsText() != nullptr) return a[0].value;
  return Value(ToCompactJson(a[0].value));
}

Result ToNumber(const Arguments& a) {
  if (a[0].value.IsNumber()) return a[0].value;
  if (a[0].value.AsText() == nullptr) return Value();
  const absl::StatusOr<Value> read = ParseJson(Text(a[0]));
  return read.ok() && read->IsNumber() ? *read : Value();
}

Result Abs(const Arguments& a) {
  if (const auto* integer = std::get_if<std::int64_t>(&a[0].value.content())) {
    return Value(std::abs(*integer));
  }
  return Value(std::fabs(a[0].value.AsNumber()));
}

Result Rounded(const Value& value, double (*round)(double)) {
  if (std::holds_alternative<std::int64_t>(value.content())) return value;
  return Value(static_cast<std::int64_t>(round(value.AsNumber())));
}

Result Sum(const Arguments& a) {
  std::int64_t whole = 0;
  double sum = 0;
  bool is_whole = true;
  for (const Value& item : Items(a[0])) {
    sum += item.AsNumber();
    const auto* integer = std::get_if<std::int64_t>(&item.content());
    is_whole = is_whole && integer != nullptr;
    if (integer != nullptr) whole += *integer;
  }
  return is_whole ? Value(whole) : Value(sum);
}

Result Average(const Arguments& a) {
  if (Items(a[0]).empty()) return Value();
  POTOK_ASSIGN_OR_RETURN(const Value sum, Sum(a));
  return Value(sum.AsNumber() / static_cast<double>(Items(a[0]).size()));
}

// The items with what they are compared by: themselves without an expression.
absl::StatusOr<std::vector<std::pair<Value, Value>>> Keyed(const Arguments& a) {
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : Items(a[0])) {
    Value key = item;
    if (a.size() == 2) {
      POTOK_ASSIGN_OR_RETURN(key, a[1].each(item));
    }
    bool comparable = false;
    Compare(keyed.empty() ? key : keyed.front().first, key, &comparable);
    if (!comparable) {
      return absl::InvalidArgumentError(
          fmt::format("its expression gives {} where all numbers or all strings are needed",
                      NamesOf(TypeOf(key))));
    }
    keyed.emplace_back(std::move(key), item);
  }
  return keyed;
}

bool IsLess(const std::pair<Value, Value>& a, const std::pair<Value, Value>& b) {
  bool ignored = false;
  return Compare(a.first, b.first, &ignored) < 0;
}

Result Sort(const Arguments& a) {
  POTOK_ASSIGN_OR_RETURN(auto keyed, Keyed(a));
  std::stable_sort(keyed.begin(), keyed.end(), IsLess);
  Array sorted;
  for (auto& [key, item] : keyed) sorted.push_back(std::move(item));
  return Value(std::move(sorted));
}

Result Max(const Arguments& a) {
  POTOK_ASSIGN_OR_RETURN(const auto keyed, Keyed(a));
  return keyed.empty() ? Value() : std::max_element(keyed.begin(), keyed.end(), IsLess)->second;
}

Result Min(const Arguments& a) {
  POTOK_ASSIGN_OR_RETURN(const auto keyed, Keyed(a));
  return keyed.empty() ? Value() : std::min_element(keyed.begin(), keyed.end(), IsLess)->second;
}

struct Function {
  std::vector<unsigned> types;  // of the arguments
  bool any_more;                // the last type may come again
  Result (*call)(const Arguments&);
};

// https://jmespath.org/specification.html#built-in-functions
const std::map<std::string, Function>& Functions() {
  static const std::map<std::string, Function> kFunctions = {
      {"abs", {{kNumber}, false, Abs}},
      {"avg", {{kNumbers}, false, Average}},
      {"ceil",
       {{kNumber}, false, [](const Arguments& a) { return Rounded(a[0].value, std::ceil); }}},
      {"contains", {{kArray | kString, kAny}, false, Contains}},
      {"ends_with",
       {{kString, kString},
        false,
        [](const Arguments& a) { return Result(Value(absl::EndsWith(Text(a[0]), Text(a[1])))); }}},
      {"floor",
       {{kNumber}, false, [](const Arguments& a) { return Rounded(a[0].value, std::floor); }}},
      {"join", {{kString, kStrings}, false, Join}},
      {"keys", {{kObject}, false, Keys}},
      {"length", {{kString | kArray | kObject}, false, Length}},
      {"map", {{kReference, kArray}, false, Map}},
      {"max", {{kNumbers | kStrings}, false, Max}},
      {"max_by", {{kArray, kReference}, false, Max}},
      {"merge", {{kObject}, true, Merge}},
      {"min", {{kNumbers | kStrings}, false, Min}},
      {"min_by", {{kArray, kReference}, false, Min}},
      {"not_null", {{kAny}, true, NotNull}},
      {"reverse", {{kString | kArray}, false, Reverse}},
      {"sort", {{kNumbers | kStrings}, false, Sort}},
      {"sort_by", {{kArray, kReference}, false, Sort}},
      {"starts_with",
       {{kString, kString},
        false,
        [](const Arguments& a) {
          return Result(Value(absl::StartsWith(Text(a[0]), Text(a[1]))));
        }}},
      {"sum", {{kNumbers}, false, Sum}},
      {"to_array", {{kAny}, false, ToArray}},
      {"to_number", {{kAny}, false, ToNumber}},
      {"to_string", {{kAny}, false, ToText}},
      {"type", {{kAny}, false, TypeName}},
      {"values", {{kObject}, false, Values}},
  };
  return kFunctions;
}

}  // namespace

absl::Status CheckCall(const std::string& name, std::size_t arguments) {
  const auto found = Functions().find(name);
  if (found == Functions().end()) {
    std::vector<std::string> known;
    for (const auto& [one, function] : Functions()) known.push_back(one);
    const std::string nearest = Nearest(name, known);
    return absl::InvalidArgumentError(
        fmt::format("there is no function {}{}",
                    name,
                    nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
  const Function& function = found->second;
  const std::size_t wanted = function.types.size();
  if (arguments == wanted || (arguments > wanted && function.any_more)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} takes {}{} argument{}, not {}",
                                                name,
                                                function.any_more ? "at least " : "",
                                                wanted,
                                                wanted == 1 ? "" : "s",
                                                arguments));
}

absl::StatusOr<Value> CallFunction(const std::string& name,
                                   const std::vector<Argument>& arguments) {
  POTOK_RETURN_IF_ERROR(CheckCall(name, arguments.size()));
  const Function& function = Functions().at(name);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const unsigned types = function.types[std::min(i, function.types.size() - 1)];
    if (Fits(arguments[i], types)) continue;
    const bool is_reference = arguments[i].each != nullptr;
    return absl::InvalidArgumentError(
        fmt::format("argument {} of {} is {}, where {} is needed",
                    i + 1,
                    name,
                    is_reference ? "&expression" : NamesOf(TypeOf(arguments[i].value)),
                    types == kAny ? "a value" : NamesOf(types)));
  }
  return function.call(arguments);
}

}  // namespace potok::client
