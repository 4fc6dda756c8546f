// What the server orders, as plain values; the wire form is potok.v1.StartAttempt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/attempt.h"
#include "common/base/resources.h"
#include "common/pipeline/spec.h"

namespace potok::agent {

struct AttemptInput {
  std::string name;
  ValueType type = ValueType::kString;
  Mode mode = Mode::kDefault;
  std::variant<std::string, Artifact> value;  // text: a literal, or a URI to hand over as it is
};

// Where the step logs its metrics; the token is a secret of the step's.
struct Tracking {
  std::string uri;  // empty: nowhere
  std::string token;
  std::string run_id;
  std::string experiment_id;
};

// How the members of a step on several machines reach each other.
struct GangPlace {
  std::int32_t rank = 0;
  std::vector<std::string> hosts;  // by rank, of all members
  std::int32_t port = 0;           // on the machine of rank 0
  std::string token;               // a secret of the members
};

// Everything that is needed to run one attempt.
struct AttemptOrder {
  AttemptKey key;
  std::string run;  // names, for people and for the step's environment
  std::string step;
  std::string job_name;  // what Azure ML calls the step's job
  std::string command;
  std::optional<Artifact> code;
  std::vector<AttemptInput> inputs;
  std::vector<Output> outputs;
  std::map<std::string, std::string> environment_variables;
  Resources resources;
  std::vector<std::int32_t> gpu_indices;
  absl::Duration timeout = absl::InfiniteDuration();
  std::string experiment_name;
  Distribution distribution;
  std::string fence;
  Tracking tracking;
  std::optional<GangPlace> gang;  // nothing: it runs on one machine

  // What the members of higher ranks leave behind is not kept: the step's outputs are those of rank
  // 0.
  bool KeepsOutputs() const { return !gang.has_value() || gang->rank == 0; }
  // As of potok::Step.
  std::string environment_definition;
  std::string isolation;
  std::string network;
  std::string images;  // as of v1::StartAttempt
};

// True if something must be fetched before the command can start.
bool NeedsStaging(const AttemptOrder& order);

// OK if every name that becomes a part of a path is one: not empty, ".", "..", and without '/' and
// NUL; INVALID_ARGUMENT naming the first that is not.
absl::Status CheckNames(const AttemptOrder& order);

}  // namespace potok::agent
