#include "client/cli/text/query_functions.h"

namespace potok::client {
namespace {

template <class Number>
int Order(Number a, Number b) {
  if (a < b) return -1;
  return b < a ? 1 : 0;
}

const Value* MemberOf(const Object& object, const std::string& name) {
  for (const auto& [key, member] : object) {
    if (key == name) return &member;
  }
  return nullptr;
}

bool ArraysAreEqual(const Array& a, const Array& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!AreEqual(a[i], b[i])) return false;
  }
  return true;
}

bool ObjectsAreEqual(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, member] : a) {
    const Value* other = MemberOf(b, key);
    if (other == nullptr || !AreEqual(member, *other)) return false;
  }
  return true;
}

}  // namespace

bool IsTrue(const Value& value) {
  if (const bool* boolean = std::get_if<bool>(&value.content())) return *boolean;
  if (const std::string* text = value.AsText()) return !text->empty();
  if (const Array* array = value.AsArray()) return !array->empty();
  if (const Object* object = value.AsObject()) return !object->empty();
  return !value.IsNull();
}

bool AreEqual(const Value& a, const Value& b) {
  bool comparable = false;
  const int order = Compare(a, b, &comparable);
  if (comparable) return order == 0;
  if (a.content().index() != b.content().index()) return false;
  if (const bool* boolean = std::get_if<bool>(&a.content())) {
    return *boolean == std::get<bool>(b.content());
  }
  if (const Array* array = a.AsArray()) return ArraysAreEqual(*array, *b.AsArray());
  if (const Object* object = a.AsObject()) return ObjectsAreEqual(*object, *b.AsObject());
  return true;  // null
}

int Compare(const Value& a, const Value& b, bool* comparable) {
  *comparable = true;
  if (a.AsText() != nullptr && b.AsText() != nullptr) return Order(*a.AsText(), *b.AsText());
  const auto* left = std::get_if<std::int64_t>(&a.content());
  const auto* right = std::get_if<std::int64_t>(&b.content());
  if (left != nullptr && right != nullptr) return Order(*left, *right);
  if (a.IsNumber() && b.IsNumber()) return Order(a.AsNumber(), b.AsNumber());
  *comparable = false;
  return 0;
}

}  // namespace potok::client
