// Everything that is wrong with a pipeline, found at once. Pure: files are the front end's
// business.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok {

enum class Severity { kError, kWarning };

// `where` is a path into the spec, in the words of the file: "jobs.train.inputs.lr", "inputs.data",
// "outputs.model", "jobs.train.command". The front end maps it to file, line and column.
struct Problem {
  Severity severity = Severity::kError;
  std::string where;
  std::string message;  // what is wrong and what would be right, one line
};

// Names (Azure's rules), unknown steps, ports and inputs in every template, missing required
// values, types of bindings and literals, min, max and choices, cycles (named step by step),
// optional blocks, depends_on, `when`, loops and sweeps with their bodies, retries, limits of size
// (10,000 steps an ordinary refusal is not: the limit is kStepsMax), environment variable names,
// resources. Errors first found first, in the order of the spec. Where Azure is lax on types (1.4:
// uri_file to uri_folder, models to folders) a warning.
// A warning, too, where an input of the pipeline in `awaited`, which gets its value later, has
// none.
std::vector<Problem> Validate(const PipelineSpec& spec, const std::set<std::string>& awaited = {});

// Whether everything in a valid pipeline can be run here: no step is another service's (Opaque),
// and no loop's items give files to a command.
// INVALID_ARGUMENT with one line a step: where, and what to use instead.
absl::Status CheckRunnable(const PipelineSpec& spec);
// The same as problems.
std::vector<Problem> FindOpaque(const PipelineSpec& spec);

// Plans beyond this are refused (mission: pipelines of 100,000 steps).
inline constexpr std::size_t kStepsMax = 100'000;
// Machines of one step, and processes on each of them. Members count as steps, too.
inline constexpr std::int32_t kMachinesOfStepMax = 10'000;
inline constexpr std::int32_t kProcessesOfMachineMax = 10'000;

// Text as the declared type reads it: "10.0" as integer is "10", boolean is "True" or "False"
// (Python's words, which commands see), a number keeps its text. INVALID_ARGUMENT if it is none.
// The text of a type that is not primitive is a path or URI, and comes back as it is.
absl::StatusOr<std::string> Coerce(const std::string& text, ValueType type);

// Whether a primitive input may have this value: its type, min, max and choices. INVALID_ARGUMENT
// says which of them is broken, beginning with the value: "'7' is not allowed: it is above the
// maximum, 5".
absl::Status CheckValue(const std::string& text, const Input& port);

}  // namespace potok
