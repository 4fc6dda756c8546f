// How the agent hands a further attempt to a shim that has ended one: a message on the channel
// (kChannelFd, unix(7), SOCK_SEQPACKET) with the descriptors of log and state (SCM_RIGHTS) and
//
//   OrderHeader, working directory, arguments, variables
//
// as strings that each end with a zero byte. The shim answers, when nothing of an attempt is alive
// and its state is written and unlocked, with the 8 bytes of the record's `id`. Both are of one
// release: a shim outlives its agent only until its attempt has ended.
#pragma once

#include <cstddef>
#include <cstdint>

namespace potok::agent {

struct OrderHeader {
  std::uint32_t arguments;  // the shim's own and the command's (ShimArgument)
  std::uint32_t variables;
};

// What does not fit is given to a new shim, as its arguments and environment.
inline constexpr std::size_t kOrderBytesMax = 64 << 10;
inline constexpr std::size_t kOrderTextsMax = 2000;

}  // namespace potok::agent
