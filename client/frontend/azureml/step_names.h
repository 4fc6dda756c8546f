// What the steps of one pipeline call each other. Pure.
#pragma once

#include <functional>
#include <string>

#include "common/pipeline/control.h"

namespace potok::client {

// Calls `rename` with each name of another step in the step's inputs, depends_on and `when`, with
// the part that holds it ("inputs.x", "depends_on", "when"), and puts what comes back in its place.
void RenameSteps(
    const std::function<std::string(const std::string& name, const std::string& part)>& rename,
    Step* step);

// "train" of ${{parent.jobs.train}}, ${{jobs.train}} and train.
std::string StepNameOf(const std::string& text);

}  // namespace potok::client
