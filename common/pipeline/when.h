// Whether a step runs, by what came of others (Step::when): Airflow's trigger rules by name, and
// expressions over states and values. The language is described in docs/language.md. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok {

// What has come of a step, as far as others are decided by it.
enum class StepOutcome {
  kPending,    // has not ended
  kSucceeded,  // 'Completed', reused too
  kFailed,
  kCanceled,
  kSkipped,  // it was not to run, by its `when` or since something that it needs did not succeed
};

// Airflow's names. "Upstreams": see WhenScope. Canceled counts as failed. With no upstreams each is
// met.
enum class TriggerRule {
  kAllSuccess,
  kAllFailed,
  kAllDone,
  kOneSuccess,
  kOneFailed,
  kOneDone,  // one succeeded or failed
  kNoneFailed,
  kNoneFailedMinOneSuccess,
  kNoneSkipped,
  kAllSkipped,
  kAlways,  // as kAllDone; Airflow's does not wait, which here a step without depends_on does
};
const char* NameOf(TriggerRule rule);  // "all_success"
std::optional<TriggerRule> ParseTriggerRule(const std::string& name);

// What is known when a step is decided. Names are as in the text, relative to the same level.
struct WhenScope {
  // Of all steps that this one names by inputs, depends_on and `when`, but for Conditions: those
  // are asked by their output, and must not count for a rule such as one_success.
  std::vector<StepOutcome> upstreams;
  std::function<StepOutcome(const std::string& step)> outcome;
  // The value of a primitive output, or nothing while its step has not completed, and if there is
  // none.
  std::function<std::optional<std::string>(const std::string& step, const std::string& output)>
      output;
  // Of the pipeline (of a body: of the step that holds it), or nothing if it has no value.
  std::function<std::optional<std::string>(const std::string& input)> input;
};

enum class Verdict {
  kRun,   // says nothing of the step's inputs: those that are required must be there as well
  kSkip,  // whatever else may still end
  kWait,
};
Verdict Judge(TriggerRule rule, const std::vector<StepOutcome>& upstreams);

// Something that an expression names, and where in the text.
struct WhenReference {
  enum class Kind {
    kState,   // succeeded(x) and the like
    kStatus,  // jobs.X.status
    kOutput,  // jobs.X.outputs.Y
    kInput,   // inputs.Z
  };
  Kind kind = Kind::kState;
  std::string step;
  std::string port;
  std::string function;  // of kState
  std::string text;      // as written, with the function
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The longest text that is read, bytes.
inline constexpr std::size_t kWhenBytesMax = 65'536;

// A parsed `when`. A value; copying copies it.
class When {
 public:
  // An empty text is all_success. INVALID_ARGUMENT says what is wrong and quotes it.
  static absl::StatusOr<When> Parse(const std::string& text);

  // An expression that looks at no state (no status, succeeded(x) or rule) holds only beside
  // all_success. Unknown parts are undecided: `false and X` is false whatever X will be.
  Verdict Evaluate(const WhenScope& scope) const;

  const std::vector<WhenReference>& references() const { return references_; }
  // Each step that is named, once, in order.
  std::vector<std::string> Steps() const;

  // The text with each reference replaced; what is given back must be an expression by itself.
  std::string Rewritten(const std::function<std::string(const WhenReference&)>& replace) const;

  // INVALID_ARGUMENT for what can never hold: a number compared with a text that is none, a state
  // that does not exist, a text as a condition. `type_of` tells an output's or input's type, or
  // nothing if there is no such.
  absl::Status CheckTypes(
      const std::function<std::optional<ValueType>(const WhenReference&)>& type_of) const;

  // What Parse makes and the others read; the last node is the root.
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kNumber,
    kText,
    kReference,  // kStatus, kOutput or kInput
    kState,      // succeeded(x): `text` is the function, `left` the reference
    kRule,
    kNot,
    kAnd,
    kOr,
    kEqual,
    kUnequal,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
  };
  struct Node {
    Kind kind = Kind::kNull;
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    bool boolean = false;
    double number = 0;
    std::string text;
    TriggerRule rule = TriggerRule::kAllSuccess;
  };

 private:
  friend class WhenParser;

  std::string text_;
  std::vector<Node> nodes_;
  std::vector<WhenReference> references_;
  bool looks_at_states_ = false;
};

// `when`, an expression or rule that is valid or empty, and beside it the expression `also`.
std::string BothWhen(const std::string& when, const std::string& also);

// The names of states that jobs.X.status can have, and the outcome's.
const std::vector<std::string>& WhenStatuses();
std::string StatusName(StepOutcome outcome);

}  // namespace potok
