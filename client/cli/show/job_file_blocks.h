// Which steps stand in the blocks of which conditions, for job_file.h. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/pipeline/spec.h"

namespace potok::client {

struct Blocks {
  std::vector<std::string> when_true;
  std::vector<std::string> when_false;
};

// Of steps of one level.
struct Decided {
  std::map<std::string, Blocks> blocks;         // by condition
  std::map<std::string, std::string> own_when;  // by step: what is left of its `when` without them
};

// A step of a block has the condition's answer in its `when` (docs/decisions/0024); this takes it
// out again, as far as reading the blocks would put it back at the same place.
Decided FindBlocks(const std::vector<Step>& steps);

}  // namespace potok::client
