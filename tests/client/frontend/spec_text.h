// A spec as lines of text, for tests: one line a fact, defaults left out, so that a difference
// reads as a difference.
#pragma once

#include <string>

#include "common/pipeline/spec.h"

namespace potok::client {

// Absolute paths below `folder` are written as "<cases>/...".
std::string SpecText(const PipelineSpec& spec, const std::string& folder);

}  // namespace potok::client
