#include "common/pipeline/names.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace potok {

namespace {

// Azure ML: "Reserved input/output names".
constexpr const char* kReservedPorts[] = {
    "path", "ld_library_path", "user", "logname", "home", "pwd", "shell"};

// bash(1), "Shell Variables" and "INVOCATION": read before or between the lines of a command.
constexpr const char* kShellVariables[] = {"BASH_ENV",
                                           "ENV",
                                           "IFS",
                                           "PROMPT_COMMAND",
                                           "SHELLOPTS",
                                           "BASHOPTS",
                                           "POSIXLY_CORRECT",
                                           "BASH_XTRACEFD",
                                           "PS4",
                                           "GLOBIGNORE",
                                           "EXECIGNORE",
                                           "CDPATH"};

constexpr const char* kSetByPotok[] = {"AZUREML_RUN_ID",
                                       "AZUREML_CR_NODE_RANK",
                                       "AZUREML_PROCESS_NAME",
                                       "AZUREML_DEFAULT_DATASTORE",
                                       "AZ_BATCH_HOST_LIST"};

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

template <std::size_t size>
bool IsIn(const char* const (&table)[size], const std::string& name) {
  return std::find(std::begin(table), std::end(table), name) != std::end(table);
}

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// Identifiers joined by `separator`; upper case only where allowed.
bool IsJoinedIdentifiers(const std::string& name, char separator, bool upper_case) {
  bool at_start = true;
  for (const char c : name) {
    if (c == separator && !at_start) {
      at_start = true;
      continue;
    }
    const bool letter = IsLower(c) || c == '_' || (upper_case && IsUpper(c));
    if (!letter && (at_start || !IsDigit(c))) return false;
    at_start = false;
  }
  return !at_start;
}

}  // namespace

std::size_t LongestPart(const std::string& name) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

bool IsStepName(const std::string& name) {
  return IsJoinedIdentifiers(name, '/', false);
}

bool IsPortName(const std::string& name) {
  return IsJoinedIdentifiers(name, '.', true);
}

bool IsVariableName(const std::string& name) {
  return IsPortName(name) && name.find('.') == std::string::npos;
}

bool IsReservedPortName(const std::string& name) {
  constexpr std::size_t kLongest = sizeof("ld_library_path") - 1;
  if (name.size() > kLongest) return false;
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return IsIn(kReservedPorts, lower);
}

std::string WhyNotSettable(const std::string& variable) {
  if (StartsWith(variable, "LD_") && variable != "LD_LIBRARY_PATH") {
    return "it changes what is loaded into every program; set it in the command, before the program"
           " that needs it";
  }
  if (IsIn(kShellVariables, variable) || StartsWith(variable, "BASH_FUNC_")) {
    return "it changes how the shell reads the command; set it inside the command if you must";
  }
  if (StartsWith(variable, "POTOK_") || StartsWith(variable, "AZURE_ML_INPUT_") ||
      StartsWith(variable, "AZURE_ML_OUTPUT_") || IsIn(kSetByPotok, variable)) {
    return "Potok sets it";
  }
  return "";
}

}  // namespace potok
