// Outputs with a name become registered data and models once their step has succeeded. Thread-safe;
// blocks on the database.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/attempt.h"
#include "server/domain/step_state.h"
#include "server/registry/registry.h"
#include "server/store/store.h"

namespace potok::server {

// Whose outputs they are.
struct OutputsOf {
  AttemptKey attempt;  // with it a registration can be repeated without another version
  std::string run_name;
  std::string step_name;
};

class OutputAssets {
 public:
  // Both outlive this.
  OutputAssets(Registry& registry, Reader& reader) : registry_(registry), reader_(reader) {}

  // Registers every output of `step` that carries a name itself, or is promoted to an output of the
  // pipeline that does: a model if the type there is a model's, else data; without a version the
  // next number. Values are no files and are passed over. Again for the same attempt it is the
  // same. To be called when a step's outputs are in the store, whether it ran or took them over
  // from an earlier one.
  //
  // UNAVAILABLE: not known how far it came; call it again. ALREADY_EXISTS: a version is taken by
  // other content; the message says by what.
  absl::Status Register(const OutputsOf& of,
                        const PipelineSpec& spec,
                        const Step& step,
                        const std::vector<OutputValue>& outputs);

 private:
  absl::Status RegisterOne(const OutputsOf& of,
                           const Output& output,
                           const Output& named,
                           const Artifact& artifact);

  Registry& registry_;
  Reader& reader_;
};

}  // namespace potok::server
