#include "client/cli/text/value.h"

#include <algorithm>

namespace potok::client {

Value::Value() = default;
Value::Value(bool boolean) : content_(boolean) {}
Value::Value(std::int64_t integer) : content_(integer) {}
Value::Value(std::int32_t integer) : content_(std::int64_t{integer}) {}
Value::Value(double number) : content_(number) {}
Value::Value(std::string text) : content_(std::move(text)) {}
Value::Value(const char* text) : content_(std::string(text)) {}
Value::Value(Array array) : content_(std::move(array)) {}
Value::Value(Object object) : content_(std::move(object)) {}
Value::~Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;

double Value::AsNumber() const {
  if (const auto* integer = std::get_if<std::int64_t>(&content_)) {
    return static_cast<double>(*integer);
  }
  const auto* number = std::get_if<double>(&content_);
  return number == nullptr ? 0 : *number;
}

Value Sorted(const Value& value) {
  if (const Array* array = value.AsArray()) {
    Array sorted;
    for (const Value& item : *array) sorted.push_back(Sorted(item));
    return Value(std::move(sorted));
  }
  const Object* object = value.AsObject();
  if (object == nullptr) return value;
  Object sorted;
  for (const auto& [key, member] : *object) sorted.emplace_back(key, Sorted(member));
  std::stable_sort(sorted.begin(), sorted.end(), [](const Member& a, const Member& b) {
    return a.first < b.first;
  });
  return Value(std::move(sorted));
}

Value TextOrNothing(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

}  // namespace potok::client
