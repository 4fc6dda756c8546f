#include "client/cli/text/query_functions.h"
#include "client/cli/text/query_tokens.h"
#include "client/cli/text/query_tree.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Kind = Expression::Kind;

constexpr int kDepthMax = 200;

// A parser by precedence (Pratt, "Top Down Operator Precedence", 1973), as the reference
// implementation is one.
class Parsing {
 public:
  Parsing(const std::string& query, std::vector<Token> tokens)
      : query_(query), tokens_(std::move(tokens)) {}

  absl::StatusOr<Expression> All() {
    POTOK_ASSIGN_OR_RETURN(Expression whole, Above(kNothing));
    if (Now().kind != Token::Kind::kEnd) return Wrong("the end");
    return whole;
  }

 private:
  absl::StatusOr<Expression> Above(int binding) {
    if (++depth_ > kDepthMax) return QueryError(query_, Now().at, "nested too deeply");
    POTOK_ASSIGN_OR_RETURN(Expression left, First());
    while (binding < BindingOf(Now())) {
      POTOK_ASSIGN_OR_RETURN(left, Rest(std::move(left)));
    }
    --depth_;
    return left;
  }

  // What can start an expression.
  absl::StatusOr<Expression> First() {
    const Token token = Now();
    ++at_;
    Expression node = Node(Kind::kCurrent, token.at);
    switch (token.kind) {
      case Token::Kind::kLiteral:
        node.kind = Kind::kLiteral;
        node.literal = token.literal;
        return node;
      case Token::Kind::kQuotedName:
        if (Now().IsMark('(')) return Wrong("no '(': a function's name has no quotes");
        [[fallthrough]];
      case Token::Kind::kName:
        node.kind = Kind::kField;
        node.text = token.text;
        return node;
      case Token::Kind::kFilter:
      case Token::Kind::kFlatten:
        --at_;
        return Rest(std::move(node));
      case Token::Kind::kMark:
        return FirstMark(token);
      default:
        --at_;
        return Wrong("an expression");
    }
  }

  absl::StatusOr<Expression> FirstMark(const Token& token) {
    const Expression current = Node(Kind::kCurrent, token.at);
    switch (token.text[0]) {
      case '@':
        return current;
      case '*':
        return Projection(Kind::kProjectValues, current, kStar);
      case '{':
        return Braces(token.at);
      case '(': {
        POTOK_ASSIGN_OR_RETURN(Expression inner, Above(kNothing));
        POTOK_RETURN_IF_ERROR(Take(')'));
        return inner;
      }
      case '!': {
        POTOK_ASSIGN_OR_RETURN(Expression inner, Above(kNegation));
        return Node(Kind::kNot, token.at, {std::move(inner)});
      }
      case '&': {
        POTOK_ASSIGN_OR_RETURN(Expression inner, Above(kNothing));
        return Node(Kind::kReference, token.at, {std::move(inner)});
      }
      case '[':
        if (Now().kind == Token::Kind::kNumber || Now().IsMark(':')) return Index(current);
        if (Now().IsMark('*') && tokens_[at_ + 1].IsMark(']')) return Bracket(current);
        return List(token.at);
      default:
        --at_;
        return Wrong("an expression");
    }
  }

  // What can follow `left`.
  absl::StatusOr<Expression> Rest(Expression left) {
    const Token token = Now();
    ++at_;
    switch (token.kind) {
      case Token::Kind::kOr:
        return Pair(Kind::kOr, token, std::move(left), kOrElse);
      case Token::Kind::kAnd:
        return Pair(Kind::kAnd, token, std::move(left), kAndAlso);
      case Token::Kind::kCompare:
        return Pair(Kind::kCompare, token, std::move(left), kComparison);
      case Token::Kind::kFlatten:
        return Projection(
            Kind::kProject, Node(Kind::kFlatten, token.at, {std::move(left)}), kFlattening);
      case Token::Kind::kFilter:
        return Filter(std::move(left));
      default:
        break;
    }
    switch (token.text[0]) {
      case '.':
        if (Now().IsMark('*')) {
          ++at_;
          return Projection(Kind::kProjectValues, std::move(left), kDot);
        } else {
          POTOK_ASSIGN_OR_RETURN(Expression right, AfterDot(kDot));
          return Node(Kind::kThen, token.at, {std::move(left), std::move(right)});
        }
      case '|':
        return Pair(Kind::kThen, token, std::move(left), kPipe);
      case '(':
        return Call(left);
      case '[':
        if (Now().kind == Token::Kind::kNumber || Now().IsMark(':')) return Index(std::move(left));
        return Bracket(std::move(left));
      default:
        --at_;
        return Wrong("an operator, or the end");
    }
  }

  absl::StatusOr<Expression> Pair(Kind kind, const Token& token, Expression left, Binding binding) {
    POTOK_ASSIGN_OR_RETURN(Expression right, Above(binding));
    Expression pair = Node(kind, token.at, {std::move(left), std::move(right)});
    pair.text = token.text;
    return pair;
  }

  // What is done with each item.
  absl::StatusOr<Expression> Projection(Kind kind, Expression left, Binding binding) {
    POTOK_ASSIGN_OR_RETURN(Expression each, Each(binding));
    const std::size_t at = left.at;
    return Node(kind, at, {std::move(left), std::move(each)});
  }

  absl::StatusOr<Expression> Each(Binding binding) {
    if (BindingOf(Now()) < kEndsProjection) return Node(Kind::kCurrent, Now().at);
    if (Now().IsMark('[') || Now().kind == Token::Kind::kFilter) return Above(binding);
    if (!Now().IsMark('.')) return Wrong("'.', '[' or an operator");
    ++at_;
    return AfterDot(binding);
  }

  absl::StatusOr<Expression> AfterDot(Binding binding) {
    const bool name = Now().kind == Token::Kind::kName || Now().kind == Token::Kind::kQuotedName;
    if (name || Now().IsMark('*')) return Above(binding);
    const std::size_t at = Now().at;
    if (Now().IsMark('[')) {
      ++at_;
      return List(at);
    }
    if (Now().IsMark('{')) {
      ++at_;
      return Braces(at);
    }
    return Wrong("a name, '*', '[' or '{' after '.'");
  }

  // After "[*".
  absl::StatusOr<Expression> Bracket(Expression left) {
    if (!Now().IsMark('*')) return Wrong("a number, '*' or ':'");
    ++at_;
    POTOK_RETURN_IF_ERROR(Take(']'));
    return Projection(Kind::kProject, std::move(left), kStar);
  }

  absl::StatusOr<Expression> Filter(Expression left) {
    POTOK_ASSIGN_OR_RETURN(Expression condition, Above(kNothing));
    POTOK_RETURN_IF_ERROR(Take(']'));
    Expression each = Node(Kind::kCurrent, Now().at);
    if (Now().kind != Token::Kind::kFlatten) {
      POTOK_ASSIGN_OR_RETURN(each, Each(kFiltering));
    }
    const std::size_t at = left.at;
    return Node(
        Kind::kProjectFiltered, at, {std::move(left), std::move(each), std::move(condition)});
  }

  // After "[", at a number or ':'.
  absl::StatusOr<Expression> Index(Expression left) {
    Expression index = Node(Kind::kIndex, Now().at);
    std::size_t part = 0;
    while (!Now().IsMark(']')) {
      if (Now().IsMark(':') && part < 2) {
        ++part;
        index.kind = Kind::kSlice;
      } else if (Now().kind == Token::Kind::kNumber && !index.slice[part].has_value()) {
        index.slice[part] = Now().number;
      } else {
        return Wrong(part < 2 ? "a number, ':' or ']'" : "a number or ']'");
      }
      ++at_;
    }
    if (index.slice[2] == 0) return QueryError(query_, index.at, "a slice cannot step by 0");
    ++at_;
    const bool is_slice = index.kind == Kind::kSlice;
    const std::size_t at = left.at;
    Expression then = Node(Kind::kThen, at, {std::move(left), std::move(index)});
    return is_slice ? Projection(Kind::kProject, std::move(then), kStar)
                    : absl::StatusOr<Expression>(std::move(then));
  }

  absl::StatusOr<Expression> List(std::size_t at) {
    Expression list = Node(Kind::kList, at);
    while (true) {
      POTOK_ASSIGN_OR_RETURN(Expression item, Above(kNothing));
      list.children.push_back(std::move(item));
      if (!Now().IsMark(',')) break;
      ++at_;
    }
    POTOK_RETURN_IF_ERROR(Take(']'));
    return list;
  }

  absl::StatusOr<Expression> Braces(std::size_t at) {
    Expression object = Node(Kind::kObject, at);
    while (true) {
      if (Now().kind != Token::Kind::kName && Now().kind != Token::Kind::kQuotedName) {
        return Wrong("a name");
      }
      object.keys.push_back(Now().text);
      ++at_;
      POTOK_RETURN_IF_ERROR(Take(':'));
      POTOK_ASSIGN_OR_RETURN(Expression member, Above(kNothing));
      object.children.push_back(std::move(member));
      if (!Now().IsMark(',')) break;
      ++at_;
    }
    POTOK_RETURN_IF_ERROR(Take('}'));
    return object;
  }

  absl::StatusOr<Expression> Call(const Expression& function) {
    if (function.kind != Kind::kField) {
      --at_;
      return Wrong("a function's name before '('");
    }
    Expression call = Node(Kind::kCall, function.at);
    call.text = function.text;
    while (!Now().IsMark(')')) {
      POTOK_ASSIGN_OR_RETURN(Expression argument, Above(kNothing));
      call.children.push_back(std::move(argument));
      if (Now().IsMark(',')) {
        ++at_;
        if (Now().IsMark(')')) return Wrong("an argument");
      } else if (!Now().IsMark(')')) {
        return Wrong("',' or ')'");
      }
    }
    ++at_;
    const absl::Status checked = CheckCall(call.text, call.children.size());
    if (!checked.ok()) return QueryError(query_, call.at, std::string(checked.message()));
    return call;
  }

  const Token& Now() const { return tokens_[at_]; }
  absl::Status Take(char mark) {
    if (!Now().IsMark(mark)) return Wrong(fmt::format("'{}'", mark));
    ++at_;
    return absl::OkStatus();
  }
  absl::Status Wrong(const std::string& expected) const {
    return QueryError(query_, Now().at, "expected " + expected);
  }

  const std::string& query_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Expression> ParseQuery(const std::string& query) {
  POTOK_ASSIGN_OR_RETURN(std::vector<Token> tokens, TokensOf(query));
  return Parsing(query, std::move(tokens)).All();
}

}  // namespace potok::client
