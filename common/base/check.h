// Checks for our own bugs: a broken invariant ends the process, because the store is whole and a
// restart is cheap. Never for what a user, a file or a network can cause.
#pragma once

namespace potok {

// Writes file, line and text to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* text);

}  // namespace potok

#define POTOK_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::potok::CheckFailed(__FILE__, __LINE__, #condition))
