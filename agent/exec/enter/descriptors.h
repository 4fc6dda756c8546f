// What an agent gives potok-enter besides 0, 1 and 2, which are the command's where it gets no
// terminal. Shared with the agent.
#pragma once

namespace potok::agent {

// A socket of datagrams (SOCK_SEQPACKET). To the agent: "started" (with the terminal's other end,
// where there is one), "failed TEXT", and at the end "ended CODE SIGNAL". From the agent: "signal
// NUMBER" and "kill". Its end is a hangup.
inline constexpr int kEnterControlFd = 3;
// A file of the command's environment: NAME=VALUE, each with a zero byte at its end.
inline constexpr int kEnterEnvironmentFd = 4;
inline constexpr int kEnterWordMax = 1024;  // bytes of a datagram

}  // namespace potok::agent
