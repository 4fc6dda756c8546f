// When::CheckTypes.
#include <algorithm>

#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok {

namespace {

// What is known of a part before anything runs.
struct PartType {
  enum class Kind { kAny, kNull, kBoolean, kNumber, kText, kStatus };
  Kind kind = Kind::kAny;
  bool is_literal = false;
  std::string text;  // of a literal
};
using PartKind = PartType::Kind;

PartKind KindOf(ValueType type) {
  switch (type) {
    case ValueType::kBoolean:
      return PartKind::kBoolean;
    case ValueType::kNumber:
    case ValueType::kInteger:
      return PartKind::kNumber;
    default:
      return PartKind::kText;
  }
}

const char* NameOfKind(PartKind kind) {
  switch (kind) {
    case PartKind::kBoolean:
      return "true or false";
    case PartKind::kNumber:
      return "a number";
    case PartKind::kStatus:
      return "a state";
    default:
      return "a text";
  }
}

bool IsOrdering(When::Kind kind) {
  return kind == When::Kind::kLess || kind == When::Kind::kLessEqual ||
         kind == When::Kind::kGreater || kind == When::Kind::kGreaterEqual;
}

absl::Status CheckStatus(const PartType& status, const PartType& other, bool is_ordering) {
  if (status.kind != PartKind::kStatus) return absl::OkStatus();
  const bool is_text = other.kind == PartKind::kText || other.kind == PartKind::kAny;
  const auto& known = WhenStatuses();
  const bool is_known = std::ranges::find(known, other.text) != known.end();
  if (is_ordering || (!is_text && other.kind != PartKind::kStatus) ||
      (other.is_literal && is_text && !is_known)) {
    return absl::InvalidArgumentError(
        fmt::format("a status is compared by == or != with one of '{}'", fmt::join(known, "', '")));
  }
  return absl::OkStatus();
}

absl::Status CheckComparison(const PartType& a, const PartType& b, When::Kind kind) {
  const bool is_ordering = IsOrdering(kind);
  if (absl::Status status = CheckStatus(a, b, is_ordering); !status.ok()) return status;
  if (absl::Status status = CheckStatus(b, a, is_ordering); !status.ok()) return status;
  const auto is_open = [](const PartType& part) {
    return part.kind == PartKind::kAny || part.kind == PartKind::kStatus;
  };
  if (is_ordering && (a.kind == PartKind::kBoolean || b.kind == PartKind::kBoolean ||
                      a.kind == PartKind::kNull || b.kind == PartKind::kNull)) {
    return absl::InvalidArgumentError("only numbers and texts have an order; use == or !=");
  }
  if (is_open(a) || is_open(b) || a.kind == PartKind::kNull || b.kind == PartKind::kNull ||
      a.kind == b.kind) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format(
      "{} is compared with {}, which never fits", NameOfKind(a.kind), NameOfKind(b.kind)));
}

absl::Status CheckCondition(const PartType& part) {
  if (part.kind == PartKind::kBoolean || part.kind == PartKind::kAny) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} stands where true or false is wanted; compare it with something",
                  part.kind == PartKind::kNull ? "null" : NameOfKind(part.kind)));
}

}  // namespace

absl::Status When::CheckTypes(
    const std::function<std::optional<ValueType>(const WhenReference&)>& type_of) const {
  std::vector<PartType> types(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    PartType& type = types[i];
    type.kind = PartKind::kBoolean;
    absl::Status status;
    switch (node.kind) {
      case Kind::kNull:
        type.kind = PartKind::kNull;
        break;
      case Kind::kNumber:
        type.kind = PartKind::kNumber;
        break;
      case Kind::kText:
        type = {PartKind::kText, true, node.text};
        break;
      case Kind::kReference: {
        const WhenReference& reference = references_[node.left];
        const bool is_status = reference.kind == WhenReference::Kind::kStatus;
        const std::optional<ValueType> port = is_status ? std::nullopt : type_of(reference);
        type.kind = is_status ? PartKind::kStatus : port ? KindOf(*port) : PartKind::kAny;
        break;
      }
      case Kind::kBoolean:
      case Kind::kState:
      case Kind::kRule:
        break;
      case Kind::kNot:
        status = CheckCondition(types[node.left]);
        break;
      case Kind::kAnd:
      case Kind::kOr:
        status = CheckCondition(types[node.left]);
        status.Update(CheckCondition(types[node.right]));
        break;
      default:
        status = CheckComparison(types[node.left], types[node.right], node.kind);
        break;
    }
    if (!status.ok()) return status;
  }
  return CheckCondition(types.back());
}

}  // namespace potok
