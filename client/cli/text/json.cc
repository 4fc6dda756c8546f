#include <cmath>

#include "client/cli/text/printable.h"
#include "client/cli/text/value.h"
#include "common/base/overloaded.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

void Write(const Value& value, int indent, std::string* out);

void WriteArray(const Array& array, int indent, std::string* out) {
  if (array.empty()) {
    *out += "[]";
    return;
  }
  *out += "[\n";
  for (std::size_t i = 0; i < array.size(); ++i) {
    out->append(static_cast<std::size_t>(indent) + 2, ' ');
    Write(array[i], indent + 2, out);
    *out += i + 1 < array.size() ? ",\n" : "\n";
  }
  out->append(static_cast<std::size_t>(indent), ' ');
  *out += ']';
}

void WriteObject(const Object& object, int indent, std::string* out) {
  if (object.empty()) {
    *out += "{}";
    return;
  }
  *out += "{\n";
  for (std::size_t i = 0; i < object.size(); ++i) {
    out->append(static_cast<std::size_t>(indent) + 2, ' ');
    *out += JsonQuoted(object[i].first) + ": ";
    Write(object[i].second, indent + 2, out);
    *out += i + 1 < object.size() ? ",\n" : "\n";
  }
  out->append(static_cast<std::size_t>(indent), ' ');
  *out += '}';
}

void Write(const Value& value, int indent, std::string* out) {
  std::visit(Overloaded{
                 [&](std::monostate) { *out += "null"; },
                 [&](bool boolean) { *out += boolean ? "true" : "false"; },
                 [&](std::int64_t integer) { *out += fmt::format("{}", integer); },
                 [&](double number) {
                   // JSON has no infinities.
                   *out += std::isfinite(number) ? fmt::format("{}", number) : "null";
                 },
                 [&](const std::string& text) { *out += JsonQuoted(text); },
                 [&](const Array& array) { WriteArray(array, indent, out); },
                 [&](const Object& object) { WriteObject(object, indent, out); },
             },
             value.content());
}

}  // namespace

std::string ToJson(const Value& value) {
  std::string out;
  Write(value, 0, &out);
  return out + "\n";
}

std::string ScalarText(const Value& value) {
  return std::visit(Overloaded{
                        [](std::monostate) { return std::string(); },
                        [](bool boolean) { return std::string(boolean ? "true" : "false"); },
                        [](std::int64_t integer) { return fmt::format("{}", integer); },
                        [](double number) { return fmt::format("{}", number); },
                        [](const std::string& text) { return text; },
                        [](const Array&) { return std::string(); },
                        [](const Object&) { return std::string(); },
                    },
                    value.content());
}

}  // namespace potok::client
