// Rules that look at every machine for every arrival: what Potok's is compared with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/placement/placer.h"

namespace potok::bench {

// "fgd": fragmentation gradient descent, as the paper describes it (section 4 of "Beware of
// Fragmentation"): the typical requests are known in advance, the most frequent that make up 95 %
// of all, by CPU, GPU and model; a machine's fragmentation is what they expect not to be able to
// use of its free GPUs; the placement that adds least to it wins. As in its authors' scheduler the
// score is a whole number of 0 to 100 through a sigmoid, and the first of equals wins. Equal ones
// are many; a score not rounded placed about 0.8 points less of the known workloads.
// "best_fit": the machine whose free CPU, memory and GPU are, by their part of the largest
// machine's, the least in sum.
// "random": any that fits, each as likely.
// Null for another name.
std::unique_ptr<Placer> MakeScanningPlacer(const std::string& name,
                                           const std::vector<server::placing::Machine>& machines,
                                           const std::vector<server::placing::Request>& requests,
                                           std::uint64_t seed);

}  // namespace potok::bench
