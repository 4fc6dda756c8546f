// Ends of lines in bytes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace potok::server {

// How many '\n' there are in `size` bytes.
std::int64_t CountLines(const char* data, std::size_t size);

}  // namespace potok::server
