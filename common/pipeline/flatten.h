// Pipelines in pipelines as one level of steps. Pure.
#pragma once

#include <vector>

#include "common/pipeline/control.h"
#include "common/pipeline/validate.h"

namespace potok {

// Puts the steps of each Nested (control.h) in its place, under their names joined by '/': "fit" of
// "train" becomes "train/fit". What they were bound to through the nested pipeline's ports they are
// bound to directly; what named the nested pipeline (depends_on, `when`) names its steps. A nested
// pipeline with a `when` leaves a Condition of its name, which its steps look at.
//
// The spec is one in which Validate finds no error; bodies of loops are flattened too. Returns what
// cannot be said without the nested pipelines; the spec is then of no use.
std::vector<Problem> Flatten(PipelineSpec* spec);

// The same of the steps of one level, of which `owner` is the whole name of the step around them.
void FlattenSteps(const std::string& owner,
                  std::vector<Step>* steps,
                  std::vector<Problem>* problems);

// Whether the step names no other step that would have to end before it.
bool NeedsNoOther(const Step& step);

}  // namespace potok
