// Which artifacts the steps of a run made and took. Pure.
#pragma once

#include <vector>

#include "server/domain/plan.h"
#include "server/store/store.h"

namespace potok::server {

// The artifact that a step has made as this output, or null: not made yet, or a text.
const Artifact* MadeArtifact(const StepRow& row, const std::string& output);

// Of every step that began: its code, its inputs that are artifacts, and what it made. `rows` are
// the steps that moved, by index. By step; of a step code, inputs, outputs.
std::vector<ArtifactUse> UsesOf(RunId run, const Plan& plan, const std::vector<StepRow>& rows);

}  // namespace potok::server
