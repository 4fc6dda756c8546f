// The plan of a run grows: what a control step makes of its body (common/pipeline/control.h). Pure.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/domain/change.h"
#include "server/domain/plan.h"

namespace potok::server {

// The steps of `added`, to be put behind those of `plan`. Names are "fold[3]/fit", or "fold[3]" for
// the one step of a body that has no name;
// ${{parent.inputs.X}} of the body is the value X of `added`, or nothing; references between steps
// of the body are to the new ones. The same plan and change always give the same. INVALID_ARGUMENT
// where the body cannot be resolved, INTERNAL where the change is not about this plan.
absl::StatusOr<std::shared_ptr<const Segment>> Expand(const Plan& plan, const StepsAdded& added);

// Puts the segment behind the others of a plan, which nobody else sees changed: a plan that
// somebody else holds is copied first, segment by segment and not step by step.
void Grow(std::shared_ptr<const Segment> segment, std::shared_ptr<const Plan>* plan);

// An output of a body: that of the step which promotes it to this name, or of a body's only step
// its own output of that name. Null if there is none. `step` gets its position in the body.
const Output* FindBodyOutput(const Control& control, const std::string& name, std::uint32_t* step);

}  // namespace potok::server
