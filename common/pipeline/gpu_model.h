// Names of models of GPUs, as drivers and as people write them. Pure.
#pragma once

#include <string>
#include <vector>

namespace potok {

// True if `wanted` is the model, or some of its words in a row, of any case: "A100" and "a100-sxm4"
// are "NVIDIA A100-SXM4-80GB", "A10" is not. Words end at blanks, '-' and '_'. False if `wanted`
// has no word.
bool IsGpuModel(const std::string& model, const std::string& wanted);

// True if it is one of them.
bool IsOneOfGpuModels(const std::string& model, const std::vector<std::string>& wanted);

}  // namespace potok
