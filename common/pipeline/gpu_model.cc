#include "common/pipeline/gpu_model.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace potok {

namespace {

std::vector<std::string> WordsOfModel(const std::string& model) {
  std::vector<std::string> words;
  bool goes_on = false;
  for (const char c : model) {
    const bool ends = c == ' ' || c == '-' || c == '_';
    if (!ends && !goes_on) words.emplace_back();
    if (!ends) words.back().push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    goes_on = !ends;
  }
  return words;
}

}  // namespace

bool IsGpuModel(const std::string& model, const std::string& wanted) {
  const std::vector<std::string> words = WordsOfModel(model);
  const std::vector<std::string> sought = WordsOfModel(wanted);
  return !sought.empty() &&
         std::search(words.begin(), words.end(), sought.begin(), sought.end()) != words.end();
}

bool IsOneOfGpuModels(const std::string& model, const std::vector<std::string>& wanted) {
  return std::any_of(
      wanted.begin(), wanted.end(), [&](const std::string& one) { return IsGpuModel(model, one); });
}

}  // namespace potok
