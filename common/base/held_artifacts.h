// Which artifacts are worth knowing where they are. Pure.
#pragma once

#include <cstdint>

namespace potok {

// An artifact of at least so many bytes is remembered by the server with the machines that hold it,
// and kept by the agent whose attempt made it: fetching a smaller one takes no longer than asking
// for it (docs/decisions/0046-where-the-inputs-are.md).
inline constexpr std::int64_t kHeldArtifactBytesMin = std::int64_t{1} << 20;

}  // namespace potok
