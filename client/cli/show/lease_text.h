// A lease as people write it in the file of a pool.
#pragma once

#include <cstdint>
#include <string>

namespace potok::client {

// "30m", "1h30m", "2d12h", "90.5s"; "never" of 0, which is for ever. ParseDuration reads it.
std::string LeaseText(std::int64_t lease_ms);

}  // namespace potok::client
