// The values that a sweep's trials get. Pure: the same sweep, seed and number give the same values,
// on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/pipeline/control.h"
#include "server/domain/step_state.h"

namespace potok::server {

// How many trials there are: max_total_trials, and not more than a grid has points.
std::uint32_t TrialsOf(const Sweep& sweep);

// The values of trial `number`, from 0: by position in a grid (the last parameter goes fastest), by
// the Sobol' sequence, shifted by the seed (up to kSobolDimensionsMax parameters, beyond that at
// random), or at random. For bayesian see sweep_model.h.
std::vector<OutputValue> SampleTrial(const Sweep& sweep, std::uint64_t seed, std::uint32_t number);

// The parameter's value at the quantile `u`, in (0, 1). Logarithmic ones are powers of `base`,
// which is e unless a sweep says otherwise; q rounds to its multiples; a randint is below `upper`.
std::string ValueAt(const SearchParameter& parameter, double u, double base);

// Of a sweep that has none of its own.
std::uint64_t SeedOf(const std::string& run, const std::string& step);

}  // namespace potok::server
