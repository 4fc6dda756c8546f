// Random identifiers, from the kernel's generator (getrandom(2)). Thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace potok {

// `characters` of [a-z0-9], uniformly chosen.
std::string RandomId(std::size_t characters);

}  // namespace potok
