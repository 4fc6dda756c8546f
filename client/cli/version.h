// The version of this program.
#pragma once

namespace potok::client {

inline constexpr char kVersion[] = POTOK_VERSION;

}  // namespace potok::client
