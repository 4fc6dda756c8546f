#include "common/pipeline/command.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/shell_lexer.h"
#include "fmt/format.h"

namespace potok {

namespace {

using Values = std::map<std::string, std::string>;

// execve(2): one string of the environment is at most MAX_ARG_STRLEN, 32 pages. The rest is for the
// variable's name.
constexpr std::size_t kValueBytesMax = 32 * 4096 - 1024;

// A whole number that means the same in bash's arithmetic: no leading zero, which is octal there.
bool IsPlainNumber(const std::string& text) {
  const std::string digits = text.rfind('-', 0) == 0 ? text.substr(1) : text;
  const bool all_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !digits.empty() && digits.size() <= 18 && all_digits &&
         (digits == "0" || digits[0] != '0');
}

// The variables of all `names`: each name gets one, and no two the same. A dot becomes "__"; where
// that is another name's variable already, underscores are added until it is free.
Values VariablesOf(const std::string& prefix, const std::set<std::string>& names) {
  Values variables;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos) continue;
    variables[name] = prefix + name;
    taken.insert(prefix + name);
  }
  for (const std::string& name : names) {
    if (name.find('.') == std::string::npos) continue;
    std::string variable = prefix;
    for (const char c : name) variable += c == '.' ? "__" : std::string(1, c);
    while (!taken.insert(variable).second) variable.push_back('_');
    variables[name] = variable;
  }
  return variables;
}

// A reference with what it stands for.
struct Resolved {
  std::string variable;
  std::optional<std::string> value;
};

// Bash text that expands to the value and to nothing else.
std::string Expansion(const std::string& variable, Quoting quoting) {
  switch (quoting) {
    case Quoting::kNone:
      return fmt::format("\"${{{}}}\"", variable);
    case Quoting::kSingle:
      return fmt::format("'\"${{{}}}\"'", variable);
    case Quoting::kAnsi:
      return fmt::format("'\"${{{}}}\"$'", variable);
    default:
      return fmt::format("${{{}}}", variable);
  }
}

// Nothing, but never nothing at all: what stands left and right must not grow together to an
// operator, a comment or a here-document's delimiter.
std::string EmptyExpansion(const std::string& variable, Quoting quoting) {
  switch (quoting) {
    case Quoting::kSingle:
      return "";
    case Quoting::kAnsi:
      return "'$'";
    default:
      return fmt::format("${{{}-}}", variable);
  }
}

absl::StatusOr<std::string> RenderArithmetic(const std::string& spelling,
                                             const std::string& value) {
  if (IsPlainNumber(value)) return value[0] == '-' ? fmt::format("({})", value) : value;
  return absl::InvalidArgumentError(fmt::format(
      "{} stands where bash computes, and its value '{}' is not a plain whole number (bash would "
      "run"
      " text in it as a command); compute with another program, for example python3 -c 'import sys;"
      " print(int(sys.argv[1]) + 1)' {}",
      spelling,
      value.substr(0, 40),
      spelling));
}

absl::Status CheckSize(const std::string& script) {
  if (script.size() <= kCommandBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "the command has {} bytes, and bash can be given at most {}; put it into a file of"
      " the code and run that",
      script.size(),
      kCommandBytesMax));
}

class Renderer {
 public:
  Renderer(const Values& inputs, const Values& outputs, const std::vector<ShellPiece>& pieces)
      : inputs_(inputs), outputs_(outputs) {
    std::set<std::string> input_names;
    std::set<std::string> output_names;
    for (const auto& [name, value] : inputs) input_names.insert(name);
    for (const auto& [name, value] : outputs) output_names.insert(name);
    for (const ShellPiece& piece : pieces) {
      const auto* reference = std::get_if<ShellReference>(&piece);
      if (reference == nullptr) continue;
      // An input without a value is not in `inputs`, and must not share a variable either.
      if (const auto* input = std::get_if<OwnInput>(&reference->target)) {
        input_names.insert(input->name);
      }
    }
    input_variables_ = VariablesOf("POTOK_INPUT_", input_names);
    output_variables_ = VariablesOf("POTOK_OUTPUT_", output_names);
  }

  absl::Status Append(const ShellPiece& piece) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      command_.script += *text;
      return absl::OkStatus();
    }
    const auto& reference = std::get<ShellReference>(piece);
    POTOK_ASSIGN_OR_RETURN(const Resolved resolved, Resolve(reference));
    if (!resolved.value) {
      command_.script += EmptyExpansion(resolved.variable, reference.quoting);
      return absl::OkStatus();
    }
    if (reference.quoting == Quoting::kArithmetic) {
      POTOK_ASSIGN_OR_RETURN(const std::string number,
                             RenderArithmetic(reference.spelling, *resolved.value));
      command_.script += number;
      return absl::OkStatus();
    }
    command_.script += Expansion(resolved.variable, reference.quoting);
    command_.environment[resolved.variable] = *resolved.value;
    return absl::OkStatus();
  }

  ShellCommand Take() { return std::move(command_); }

 private:
  absl::StatusOr<Resolved> Resolve(const ShellReference& reference) const {
    if (const auto* input = std::get_if<OwnInput>(&reference.target)) {
      const auto found = inputs_.find(input->name);
      if (found == inputs_.end()) return Resolved{input_variables_.at(input->name), std::nullopt};
      return Checked(reference.spelling, {input_variables_.at(input->name), found->second});
    }
    const std::string& name = std::get<OwnOutput>(reference.target).name;
    const auto found = outputs_.find(name);
    if (found == outputs_.end()) {
      return absl::InvalidArgumentError(fmt::format(
          "{} names no output of the step; declare the output '{}'", reference.spelling, name));
    }
    return Checked(reference.spelling, {output_variables_.at(name), found->second});
  }

  static absl::StatusOr<Resolved> Checked(const std::string& spelling, Resolved resolved) {
    if (resolved.value->find('\0') != std::string::npos) {
      return absl::InvalidArgumentError(fmt::format(
          "the value of {} holds a zero byte, which no program's argument can; pass it in a file",
          spelling));
    }
    if (resolved.value->size() > kValueBytesMax) {
      return absl::InvalidArgumentError(
          fmt::format("the value of {} has {} bytes, and a command takes at most {}; pass it in a"
                      " file",
                      spelling,
                      resolved.value->size(),
                      kValueBytesMax));
    }
    return resolved;
  }

  const Values& inputs_;
  const Values& outputs_;
  Values input_variables_;
  Values output_variables_;
  ShellCommand command_;
};

}  // namespace

absl::StatusOr<ShellCommand> RenderForShell(const std::string& command,
                                            const std::map<std::string, std::string>& inputs,
                                            const std::map<std::string, std::string>& outputs) {
  POTOK_RETURN_IF_ERROR(CheckSize(command));
  if (command.find("${{") == std::string::npos) return ShellCommand{command, {}};
  POTOK_ASSIGN_OR_RETURN(const std::vector<ShellPiece> pieces, LexShell(command));
  Renderer renderer(inputs, outputs, pieces);
  for (const ShellPiece& piece : pieces) POTOK_RETURN_IF_ERROR(renderer.Append(piece));
  ShellCommand rendered = renderer.Take();
  POTOK_RETURN_IF_ERROR(CheckSize(rendered.script));
  return rendered;
}

}  // namespace potok
