// Why an attempt's processes are gone. Apart from executor.h because potok-shim, which has no
// standard library, reads it too; the numbers are stored in attempts' folders and never change.
#pragma once

namespace potok::agent {

enum class EndCause : int {
  kExit = 0,
  kSignal = 1,
  kOutOfMemory = 2,
  kTimeout = 3,
  kStopped = 4,
  kLease = 5,
  kStartFailed = 6,
  kLost = 7
};

}  // namespace potok::agent
