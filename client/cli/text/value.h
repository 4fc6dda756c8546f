// What commands print as an object: a tree of plain values that keeps the order of its keys, and
// the ways to write it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace potok::client {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Object = std::vector<Member>;

class Value {
 public:
  Value();  // null
  // NOLINTBEGIN(google-explicit-constructor): {{"name", "x"}, {"ended", true}} is how a tree is
  // written.
  Value(bool boolean);
  Value(std::int64_t integer);
  Value(std::int32_t integer);
  Value(double number);
  Value(std::string text);
  Value(const char* text);
  Value(Array array);
  Value(Object object);
  // NOLINTEND(google-explicit-constructor)
  // Not inline: g++ 12 takes the members of an inlined variant for uninitialised.
  ~Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;

  bool IsNull() const { return std::holds_alternative<std::monostate>(content_); }
  // Null if it is of another kind.
  const std::string* AsText() const { return std::get_if<std::string>(&content_); }
  const Array* AsArray() const { return std::get_if<Array>(&content_); }
  const Object* AsObject() const { return std::get_if<Object>(&content_); }

  using Content =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object>;
  const Content& content() const { return content_; }

 private:
  Content content_;
};

// JSON (RFC 8259) with an indent of two, as `az` prints it; ends in a newline. Bytes that are not
// UTF-8 become U+FFFD.
std::string ToJson(const Value& value);

// YAML that reads the same in versions 1.1 and 1.2 (text that could be taken for something else is
// quoted); ends in a newline.
std::string ToYaml(const Value& value);

// Tab-separated: one line for each item of an array, or one for the value; of objects the values
// that are not objects or arrays, as `az -o tsv` does. Text is unquoted, null is empty.
std::string ToTsv(const Value& value);

// A scalar as it stands in a table: text unquoted, null empty, true and false; of others "".
std::string ScalarText(const Value& value);

}  // namespace potok::client
