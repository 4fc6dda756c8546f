// How much of a step's log is kept. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace potok::agent {

// Bytes of one attempt's log that are stored; what follows is replaced by one line that says so.
inline constexpr std::int64_t kLogBytesMax = std::int64_t{1} << 30;

// The line that stands where a log was cut.
const std::string& LogCutMark();

// What is stored of a log file of `file_bytes`: all of it, or the limit and the mark.
std::int64_t StoredLogBytes(std::int64_t file_bytes);

}  // namespace potok::agent
