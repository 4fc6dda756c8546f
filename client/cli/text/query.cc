#include "client/cli/text/query.h"

#include <algorithm>

#include "client/cli/text/query_functions.h"
#include "client/cli/text/query_tree.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Kind = Expression::Kind;
using Result = absl::StatusOr<Value>;

// Every name and bracket is a call within a call, on a stack of 8 MiB.
constexpr std::size_t kQueryBytesMax = 4096;
// {a:@,b:@} doubles what there is, and can follow itself. Far more than the table of a run of
// 100,000 steps.
constexpr std::size_t kMadeMax = 5'000'000;

// How many values there are in `value`; a long text counts for more.
std::size_t SizeOf(const Value& value) {
  std::size_t size = 1;
  if (const std::string* text = value.AsText()) size += text->size() / 64;
  if (const Array* array = value.AsArray()) {
    for (const Value& item : *array) size += SizeOf(item);
  }
  if (const Object* object = value.AsObject()) {
    for (const auto& [key, member] : *object) size += SizeOf(member);
  }
  return size;
}

Value FieldOf(const Value& value, const std::string& name) {
  const Object* object = value.AsObject();
  if (object == nullptr) return Value();
  for (const auto& [key, member] : *object) {
    if (key == name) return member;
  }
  return Value();
}

Value IndexOf(const Value& value, std::int64_t index) {
  const Array* array = value.AsArray();
  if (array == nullptr) return Value();
  const auto size = static_cast<std::int64_t>(array->size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return Value();
  return (*array)[static_cast<std::size_t>(index)];
}

// As Python's slices, which the specification copies.
Value SliceOf(const Value& value, const std::array<std::optional<std::int64_t>, 3>& slice) {
  const Array* array = value.AsArray();
  if (array == nullptr) return Value();
  const auto size = static_cast<std::int64_t>(array->size());
  const std::int64_t step = slice[2].value_or(1);
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? size : size - 1;
  const auto bound = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise) {
    if (!given.has_value()) return otherwise;
    return std::clamp(*given < 0 ? *given + size : *given, lowest, highest);
  };
  const std::int64_t from = bound(slice[0], step > 0 ? lowest : highest);
  const std::int64_t to = bound(slice[1], step > 0 ? highest : lowest);
  Array part;
  for (std::int64_t i = from; step > 0 ? i < to : i > to; i += step) {
    part.push_back((*array)[static_cast<std::size_t>(i)]);
  }
  return Value(std::move(part));
}

Value Flattened(const Value& value) {
  const Array* array = value.AsArray();
  if (array == nullptr) return Value();
  Array flat;
  for (const Value& item : *array) {
    const Array* inner = item.AsArray();
    if (inner == nullptr) {
      flat.push_back(item);
    } else {
      flat.insert(flat.end(), inner->begin(), inner->end());
    }
  }
  return Value(std::move(flat));
}

Value Compared(const std::string& sign, const Value& left, const Value& right) {
  if (sign == "==") return Value(AreEqual(left, right));
  if (sign == "!=") return Value(!AreEqual(left, right));
  bool comparable = false;
  const int order = Compare(left, right, &comparable);
  if (!comparable) return Value();
  if (sign == "<") return Value(order < 0);
  if (sign == "<=") return Value(order <= 0);
  return Value(sign == ">" ? order > 0 : order >= 0);
}

class Evaluation {
 public:
  explicit Evaluation(const std::string& query) : query_(query) {}

  Result Of(const Expression& node, const Value& value) {
    switch (node.kind) {
      case Kind::kCurrent:
        return value;
      case Kind::kField:
        return FieldOf(value, node.text);
      case Kind::kIndex:
        return IndexOf(value, *node.slice[0]);
      case Kind::kSlice:
        return SliceOf(value, node.slice);
      case Kind::kLiteral:
        return node.literal;
      case Kind::kReference:
        return QueryError(query_, node.at, "'&' belongs before an argument of a function");
      case Kind::kList:
      case Kind::kObject:
        return value.IsNull() ? Result(Value()) : Several(node, value);
      case Kind::kCall:
        return Call(node, value);
      default:
        return OfLeft(node, value);
    }
  }

 private:
  // What begins with its first child.
  Result OfLeft(const Expression& node, const Value& value) {
    POTOK_ASSIGN_OR_RETURN(const Value left, Of(node.children[0], value));
    switch (node.kind) {
      case Kind::kThen:
        return Of(node.children[1], left);
      case Kind::kFlatten:
        return Flattened(left);
      case Kind::kNot:
        return Value(!IsTrue(left));
      case Kind::kOr:
        return IsTrue(left) ? left : Of(node.children[1], value);
      case Kind::kAnd:
        return IsTrue(left) ? Of(node.children[1], value) : left;
      case Kind::kCompare: {
        POTOK_ASSIGN_OR_RETURN(const Value right, Of(node.children[1], value));
        return Compared(node.text, left, right);
      }
      default:
        return Project(node, left);
    }
  }

  Result Project(const Expression& node, const Value& left) {
    Array values;
    const Array* items = left.AsArray();
    if (node.kind == Kind::kProjectValues) {
      if (left.AsObject() == nullptr) return Value();
      for (const auto& [key, member] : *left.AsObject()) values.push_back(member);
      items = &values;
    }
    if (items == nullptr) return Value();
    Array results;
    for (const Value& item : *items) {
      if (node.kind == Kind::kProjectFiltered) {
        POTOK_ASSIGN_OR_RETURN(const Value holds, Of(node.children[2], item));
        if (!IsTrue(holds)) continue;
      }
      POTOK_ASSIGN_OR_RETURN(Value result, Of(node.children[1], item));
      // Null results are left out (JMESPath, "Projections").
      if (!result.IsNull()) results.push_back(std::move(result));
    }
    return Value(std::move(results));
  }

  Result Several(const Expression& node, const Value& value) {
    Array items;
    for (const Expression& child : node.children) {
      POTOK_ASSIGN_OR_RETURN(Value item, Of(child, value));
      made_ += SizeOf(item);
      if (made_ > kMadeMax) {
        return QueryError(
            query_,
            node.at,
            fmt::format("what it makes would hold more than {} values; ask for fewer", kMadeMax));
      }
      items.push_back(std::move(item));
    }
    if (node.kind == Kind::kList) return Value(std::move(items));
    Object object;
    for (std::size_t i = 0; i < items.size(); ++i) {
      // Of two equal keys the later one counts, at the place of the first.
      const auto known = std::find_if(object.begin(), object.end(), [&](const Member& member) {
        return member.first == node.keys[i];
      });
      if (known != object.end()) {
        known->second = std::move(items[i]);
      } else {
        object.emplace_back(node.keys[i], std::move(items[i]));
      }
    }
    return Value(std::move(object));
  }

  Result Call(const Expression& node, const Value& value) {
    std::vector<Argument> arguments;
    for (const Expression& child : node.children) {
      Argument argument;
      if (child.kind == Kind::kReference) {
        argument.each = [this, &child](const Value& item) { return Of(child.children[0], item); };
      } else {
        POTOK_ASSIGN_OR_RETURN(argument.value, Of(child, value));
      }
      arguments.push_back(std::move(argument));
    }
    Result result = CallFunction(node.text, arguments);
    if (result.ok()) return result;
    const std::string message(result.status().message());
    // An error of an expression within has its place already.
    if (message.rfind("--query", 0) == 0) return result;
    return QueryError(query_, node.at, message);
  }

  const std::string& query_;
  std::size_t made_ = 0;  // values in all lists and objects that were made
};

}  // namespace

absl::StatusOr<Value> Query(const Value& value, const std::string& query) {
  if (query.size() > kQueryBytesMax) {
    return absl::InvalidArgumentError(fmt::format(
        "--query has {} characters, and at most {} are read", query.size(), kQueryBytesMax));
  }
  POTOK_ASSIGN_OR_RETURN(const Expression tree, ParseQuery(query));
  return Evaluation(query).Of(tree, value);
}

}  // namespace potok::client
