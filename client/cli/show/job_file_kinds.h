// The keys of nodes that are no plain commands, for job_file.h. Pure.
#pragma once

#include <string>

#include "client/cli/text/value.h"
#include "common/pipeline/control.h"

namespace potok::client {

// condition.
void AddCondition(const Step& step, Object* node);
// condition, mapping and limits, of a loop whose body is the node `body`.
void AddDoWhile(const DoWhile& loop, const std::string& body, Object* node);
// items, max_concurrency and the outputs of the loop.
void AddParallelFor(const ParallelFor& loop, const Step& step, Object* node);
// What is searched and how, but for the trial.
void AddSearch(const Sweep& sweep, Object* node);
// The task and how its input is cut.
void AddMiniBatches(const Parallel& parallel, const Step& step, Object* component);

}  // namespace potok::client
