#include "client/cli/text/value.h"

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

}  // namespace potok::client
