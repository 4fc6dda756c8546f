#include "client/cli/text/query.h"

#include <algorithm>
#include <cctype>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

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

// Reads and evaluates at once, from left to right.
class Evaluation {
 public:
  explicit Evaluation(const std::string& query) : query_(query) {}

  absl::StatusOr<Value> Run(Value value) {
    do {
      POTOK_ASSIGN_OR_RETURN(value, Expression(value));
    } while (Take('|'));
    Blanks();
    if (at_ < query_.size()) return Wrong("the end");
    return value;
  }

 private:
  // First ('.' name | bracket | '.' braces)*, the rest applied to each item after a projection.
  absl::StatusOr<Value> Expression(const Value& value) {
    Blanks();
    if (Peek() == '[' || Peek() == '{') return Rest(value);
    POTOK_ASSIGN_OR_RETURN(const std::string name, Name());
    return Rest(name == "@" ? value : Field(value, name));
  }

  absl::StatusOr<Value> Rest(const Value& value) {
    if (Peek() == '.') {
      ++at_;
      if (Peek() == '{') return Rest(value);
      POTOK_ASSIGN_OR_RETURN(const std::string name, Name());
      return Rest(Field(value, name));
    }
    if (Peek() == '{') {
      POTOK_ASSIGN_OR_RETURN(const Value made, Braces(value));
      return Rest(made);
    }
    if (Peek() != '[') return value;
    ++at_;
    Blanks();
    if (Take(']')) return Each(value, /*flatten=*/true);
    if (Take('*')) return Take(']') ? Each(value, false) : absl::StatusOr<Value>(Wrong("']'"));
    if (Take('?')) return Filter(value);
    return Index(value);
  }

  absl::StatusOr<Value> Index(const Value& value) {
    std::size_t digits = 0;
    std::int64_t index = 0;
    const bool negative = Take('-');
    for (; std::isdigit(static_cast<unsigned char>(Peek())) != 0 && digits < 9; ++digits) {
      index = index * 10 + (query_[at_++] - '0');
    }
    if (digits == 0 || !Take(']')) return Wrong("a number and ']'");
    const Array* array = value.AsArray();
    if (array == nullptr) return Rest(Value());
    const auto size = static_cast<std::int64_t>(array->size());
    const std::int64_t position = negative ? size - index : index;
    if (position < 0 || position >= size) return Rest(Value());
    return Rest((*array)[static_cast<std::size_t>(position)]);
  }

  // The items, and if it is to be flattened those of the arrays among them.
  static std::vector<const Value*> ItemsOf(const Array& array, bool flatten) {
    std::vector<const Value*> items;
    for (const Value& item : array) {
      const Array* nested = flatten ? item.AsArray() : nullptr;
      if (nested == nullptr) {
        items.push_back(&item);
        continue;
      }
      for (const Value& inner : *nested) items.push_back(&inner);
    }
    return items;
  }

  // Evaluates the rest for each item; null results are left out (JMESPath, "Projections").
  absl::StatusOr<Value> Each(const Value& value, bool flatten) {
    const Array* array = value.AsArray();
    const std::size_t start = at_;
    Array results;
    std::vector<const Value*> items;
    if (array != nullptr) items = ItemsOf(*array, flatten);
    for (const Value* item : items) {
      at_ = start;
      POTOK_ASSIGN_OR_RETURN(Value result, Rest(*item));
      if (!result.IsNull()) results.push_back(std::move(result));
    }
    // With no item the rest must be read all the same.
    if (items.empty()) POTOK_RETURN_IF_ERROR(Rest(Value()).status());
    if (array == nullptr) return Value();
    return Value(std::move(results));
  }

  // After "[?": NAME == 'TEXT' ']' or contains(NAME, 'TEXT') ']'.
  absl::StatusOr<Value> Filter(const Value& value) {
    POTOK_ASSIGN_OR_RETURN(std::string name, Name());
    const bool contains = name == "contains" && Take('(');
    if (contains) {
      POTOK_ASSIGN_OR_RETURN(name, Name());
      if (!Take(',')) return Wrong("','");
    }
    const bool unequal = !contains && Take('!');
    if (!contains && !(Take('=') && (unequal || Take('=')))) return Wrong("'==' or '!='");
    POTOK_ASSIGN_OR_RETURN(const std::string text, Literal());
    if ((contains && !Take(')')) || !Take(']')) return Wrong("']'");
    const Array* array = value.AsArray();
    Array kept;
    for (const Value& item : array == nullptr ? Array() : *array) {
      const Value field = Field(item, name);
      const bool holds = contains ? ScalarText(field).find(text) != std::string::npos
                                  : (ScalarText(field) == text) != unequal;
      if (holds) kept.push_back(item);
    }
    return Each(Value(std::move(kept)), false);
  }

  absl::StatusOr<Value> Braces(const Value& value) {
    ++at_;
    Object object;
    do {
      POTOK_ASSIGN_OR_RETURN(const std::string key, Name());
      if (!Take(':')) return Wrong("':'");
      POTOK_ASSIGN_OR_RETURN(Value member, Expression(value));
      made_ += SizeOf(member);
      if (made_ > kMadeMax) {
        return absl::InvalidArgumentError(fmt::format(
            "--query \"{}\": the objects that it makes hold more than {} values; ask for "
            "fewer",
            query_,
            kMadeMax));
      }
      // A key that comes again counts as last said, as in JMESPath; twice in one object it is no
      // JSON.
      const auto same = std::find_if(
          object.begin(), object.end(), [&key](const Member& made) { return made.first == key; });
      if (same == object.end()) {
        object.emplace_back(key, std::move(member));
      } else {
        same->second = std::move(member);
      }
    } while (Take(','));
    if (!Take('}')) return Wrong("'}'");
    if (value.IsNull()) return Value();
    return Value(std::move(object));
  }

  static Value Field(const Value& value, const std::string& name) {
    const Object* object = value.AsObject();
    if (object == nullptr) return Value();
    for (const auto& [key, member] : *object) {
      if (key == name) return member;
    }
    return Value();
  }

  absl::StatusOr<std::string> Name() {
    Blanks();
    if (Take('@')) return std::string("@");
    if (Peek() == '"') return Quoted('"');
    std::string name;
    while (std::isalnum(static_cast<unsigned char>(Peek())) != 0 || Peek() == '_') {
      name += query_[at_++];
    }
    if (name.empty()) return Wrong("a name");
    return name;
  }

  absl::StatusOr<std::string> Literal() {
    Blanks();
    if (Peek() == '\'' || Peek() == '`') return Quoted(Peek());
    return Wrong("a text in single quotes");
  }

  absl::StatusOr<std::string> Quoted(char quote) {
    const std::size_t end = query_.find(quote, at_ + 1);
    if (end == std::string::npos) return Wrong("a closing quote");
    const std::string text = query_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return text;
  }

  char Peek() const { return at_ < query_.size() ? query_[at_] : '\0'; }
  void Blanks() {
    while (Peek() == ' ') ++at_;
  }
  bool Take(char c) {
    Blanks();
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  absl::Status Wrong(const std::string& expected) const {
    return absl::InvalidArgumentError(
        fmt::format("--query \"{}\": expected {} at character {}", query_, expected, at_ + 1));
  }

  const std::string& query_;
  std::size_t at_ = 0;
  std::size_t made_ = 0;  // values in the objects made so far
};

}  // namespace

absl::StatusOr<Value> Query(const Value& value, const std::string& query) {
  if (query.size() > kQueryBytesMax) {
    return absl::InvalidArgumentError(fmt::format(
        "--query has {} characters, and at most {} are read", query.size(), kQueryBytesMax));
  }
  return Evaluation(query).Run(value);
}

}  // namespace potok::client
