// What a bayesian sweep tries next: a tree-structured Parzen estimator (J. Bergstra et al.,
// "Algorithms for Hyper-Parameter Optimization", 2011). Pure: the same sweep, seed, number and
// trials give the same values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/pipeline/control.h"
#include "server/domain/step_state.h"

namespace potok::server {

// A trial that was made before.
struct TriedTrial {
  const std::vector<OutputValue>* values = nullptr;  // that it was given, and others
  // The best that it logged. Nothing, or no number: it goes on, or nothing came of it, and it
  // counts as one that others are better than, so that what is tried at a time differs.
  std::optional<double> result;
};

// The values of trial `number`. Until ten trials have results they are those of SampleTrial. Then
// the trials are divided into the few best and all others, each parameter's values of either are
// taken for draws of a distribution, and of some values drawn from that of the best the one counts
// that is the likeliest among the best, compared with the others. Parameters that are no choice,
// uniform or quniform are drawn at random.
std::vector<OutputValue> SuggestTrial(const Sweep& sweep,
                                      std::uint64_t seed,
                                      std::uint32_t number,
                                      const std::vector<TriedTrial>& tried);

}  // namespace potok::server
