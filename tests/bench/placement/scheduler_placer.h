// The server's decision core as a placer: each arrival is a run of one step.
#pragma once

#include <memory>
#include <vector>

#include "tests/bench/placement/placer.h"

namespace potok::bench {

// What is not placed in the turn in which it arrives is canceled. The lists are copied.
std::unique_ptr<Placer> MakeSchedulerPlacer(const std::vector<server::placing::Machine>& machines,
                                            const std::vector<server::placing::Request>& requests);

}  // namespace potok::bench
