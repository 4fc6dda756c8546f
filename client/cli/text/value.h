// What commands print as an object: a tree of plain values that keeps the order of its keys, and
// the ways to write it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

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
  bool IsNumber() const {
    return std::holds_alternative<std::int64_t>(content_) ||
           std::holds_alternative<double>(content_);
  }
  // 0 if it is no number.
  double AsNumber() const;

  using Content =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object>;
  const Content& content() const { return content_; }

 private:
  Content content_;
};

// The text, or null for an empty one.
Value TextOrNothing(const std::string& text);

// JSON (RFC 8259) with an indent of two and keys in the order of the object; ends in a newline.
// Bytes that are not UTF-8 become U+FFFD.
std::string ToJson(const Value& value);

// The same on one line without blanks, and without a newline.
std::string ToCompactJson(const Value& value);

// INVALID_ARGUMENT if it is not JSON, all of it.
absl::StatusOr<Value> ParseJson(const std::string& text);

// The same with the keys of every object in order, as `az` writes JSON.
Value Sorted(const Value& value);

// YAML that reads the same in versions 1.1 and 1.2 (text that could be taken for something else is
// quoted); ends in a newline.
struct YamlStyle {
  // Texts of several lines as blocks, where that means the same: for files that people edit.
  bool blocks = false;
};
std::string ToYaml(const Value& value, YamlStyle style = {});

// Tab-separated, byte for byte as `az -o tsv` (knack 0.10): one line for each item of an array, or
// one for the value; of an object its values, of an array its items. In such a line an array is its
// length, an object is empty, null is "None" and true is "True"; alone true is "true".
std::string ToTsv(const Value& value);

// A table, as `az -o table` makes it of a query's result: objects give a column for each member
// that is neither null nor an array nor an object, headed by its name with a capital. "" if there
// is nothing to show.
struct TableCells {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
};
TableCells CellsOf(const Value& value);

// A scalar as text: unquoted, null empty, true and false; of others "".
std::string ScalarText(const Value& value);

}  // namespace potok::client
