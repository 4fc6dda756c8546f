// The agent's end of the channel to a shim (agent/executor/shim/order_message.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/executor/unique_fd.h"

namespace potok::agent {

struct Channel {
  UniqueFd own;
  UniqueFd shim;  // above all descriptors that a shim gets
};
// Nothing, and errno, if there are no more descriptors.
std::optional<Channel> MakeChannel();

// The message that hands over an attempt. Empty if it is too long for one.
std::string OrderMessage(const std::string& working_directory,
                         const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment);

// Sends it with the descriptors of log and state. False if the shim does not take it: it has died.
bool SendOrder(const UniqueFd& channel, const std::string& order, std::array<int, 2> descriptors);

// What epoll tells of shim `number`: numbers begin at 1, so that small values are free for others.
inline std::uint64_t PidfdReady(std::uint64_t number) {
  return number * 4 + 2;
}
inline std::uint64_t ChannelReady(std::uint64_t number) {
  return number * 4 + 3;
}
struct ShimReady {
  std::uint64_t number = 0;
  bool is_pidfd = false;
  bool is_channel = false;
};
inline ShimReady ShimReadyOf(std::uint64_t ready) {
  return {ready / 4, ready % 4 == 2, ready % 4 == 3};
}

}  // namespace potok::agent
