#include <cmath>
#include <nlohmann/json.hpp>

#include "client/cli/text/printable.h"
#include "client/cli/text/value.h"
#include "common/base/overloaded.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Json = nlohmann::ordered_json;

// The shortest text that reads as this number, and as no whole one: as Python writes it.
std::string NumberText(double number) {
  // JSON has no infinities.
  if (!std::isfinite(number)) return "null";
  std::string text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

class Writing {
 public:
  explicit Writing(bool compact) : compact_(compact) {}

  std::string Of(const Value& value) {
    Write(value);
    return std::move(out_);
  }

 private:
  void Write(const Value& value) {
    if (const Array* array = value.AsArray()) {
      Open('[', array->empty());
      for (std::size_t i = 0; i < array->size(); ++i) {
        Separate(i);
        Write((*array)[i]);
      }
      Close(']', array->empty());
    } else if (const Object* object = value.AsObject()) {
      Open('{', object->empty());
      for (std::size_t i = 0; i < object->size(); ++i) {
        Separate(i);
        out_ += JsonQuoted((*object)[i].first) + (compact_ ? ":" : ": ");
        Write((*object)[i].second);
      }
      Close('}', object->empty());
    } else if (const std::string* text = value.AsText()) {
      out_ += JsonQuoted(*text);
    } else {
      out_ += value.IsNull() ? "null" : ScalarText(value);
    }
  }
  void Open(char bracket, bool empty) {
    out_ += bracket;
    depth_ += empty ? 0 : 1;
  }
  void Close(char bracket, bool empty) {
    if (!empty) {
      --depth_;
      NewLine();
    }
    out_ += bracket;
  }
  void Separate(std::size_t index) {
    if (index != 0) out_ += ',';
    NewLine();
  }
  void NewLine() {
    if (compact_) return;
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  const bool compact_;
  std::size_t depth_ = 0;
  std::string out_;
};

Value FromJson(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value(json.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return Value(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return Value(json.get<double>());
    case Json::value_t::string:
      return Value(json.get<std::string>());
    case Json::value_t::array: {
      Array array;
      for (const Json& item : json) array.push_back(FromJson(item));
      return Value(std::move(array));
    }
    case Json::value_t::object: {
      Object object;
      for (const auto& [key, member] : json.items()) object.emplace_back(key, FromJson(member));
      return Value(std::move(object));
    }
    default:
      return Value();
  }
}

}  // namespace

std::string ToJson(const Value& value) {
  return Writing(/*compact=*/false).Of(value) + "\n";
}

std::string ToCompactJson(const Value& value) {
  return Writing(/*compact=*/true).Of(value);
}

absl::StatusOr<Value> ParseJson(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("this is not JSON");
  return FromJson(json);
}

std::string ScalarText(const Value& value) {
  return std::visit(Overloaded{
                        [](std::monostate) { return std::string(); },
                        [](bool boolean) { return std::string(boolean ? "true" : "false"); },
                        [](std::int64_t integer) { return fmt::format("{}", integer); },
                        [](double number) { return NumberText(number); },
                        [](const std::string& text) { return text; },
                        [](const Array&) { return std::string(); },
                        [](const Object&) { return std::string(); },
                    },
                    value.content());
}

}  // namespace potok::client
