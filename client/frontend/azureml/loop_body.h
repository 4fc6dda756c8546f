// Steps as the bodies of steps (control.h). Pure.
#pragma once

#include <string>
#include <vector>

#include "common/pipeline/control.h"

namespace potok::client {

// The body that does what `step` does, for a step that has its ports: a nested pipeline's steps, or
// the step alone without a name, bound to the ports around it. What concerns the whole (its order,
// `when`, the assets that its outputs become) stays outside. An input that is bound and called
// kItemsInput is lifted under another name, which is added to `outer`.
std::vector<Step> BodyOf(const Step& step, Step* outer);

}  // namespace potok::client
