#include "common/base/attempt.h"

#include "fmt/format.h"

namespace potok {

std::string ToString(const AttemptKey& key) {
  return fmt::format("{}.{}.{}", key.run, key.index, key.attempt);
}

}  // namespace potok
