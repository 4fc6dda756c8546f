// How things in a pipeline may be called (Azure ML's rules). Pure.
#pragma once

#include <cstddef>
#include <string>

namespace potok {

// Steps and ports name files and folders on machines (NAME_MAX, limits.h).
inline constexpr std::size_t kNameLengthMax = 255;

// The longest part of a name whose parts are joined by '/'.
std::size_t LongestPart(const std::string& name);

// ^[a-z_][a-z0-9_]*$. A step that comes from a nested pipeline has the names of all levels, joined
// by '/': "train/fit".
bool IsStepName(const std::string& name);

// Inputs and outputs: identifiers ([A-Za-z_][A-Za-z0-9_]*), joined by dots: "optimizer.lr".
bool IsPortName(const std::string& name);

// ^[A-Za-z_][A-Za-z0-9_]*$ (environ(7), POSIX "Name").
bool IsVariableName(const std::string& name);

// True for names of ports that Azure reserves (path, home, user, ...), in any case.
bool IsReservedPortName(const std::string& name);

// Why a step may not set this environment variable, or an empty text if it may. Refused are those
// that change what the shell or the loader does before the command runs, and those that Potok sets;
// PATH, PYTHONPATH and LD_LIBRARY_PATH are the step's own. docs/decisions/0003-values-are-data.md.
std::string WhyNotSettable(const std::string& variable);

}  // namespace potok
