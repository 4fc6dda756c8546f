#include "agent/executor/shim_channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

#include "agent/executor/attempt_state.h"
#include "agent/executor/shim/order_message.h"

namespace potok::agent {

std::optional<Channel> MakeChannel() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return std::nullopt;
  Channel channel{UniqueFd(ends[0]), MoveAboveShims(ends[1])};
  if (!channel.shim.valid()) return std::nullopt;
  return channel;
}

std::string OrderMessage(const std::string& working_directory,
                         const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment) {
  if (arguments.size() + environment.size() > kOrderTextsMax) return "";
  const OrderHeader header{static_cast<std::uint32_t>(arguments.size()),
                           static_cast<std::uint32_t>(environment.size())};
  std::string message(sizeof(header), '\0');
  std::memcpy(message.data(), &header, sizeof(header));
  const auto add = [&message](const std::string& text) {
    message += text;
    message += '\0';
  };
  add(working_directory);
  for (const std::string& argument : arguments) add(argument);
  for (const std::string& variable : environment) add(variable);
  return message.size() > kOrderBytesMax ? "" : message;
}

bool SendOrder(const UniqueFd& channel, const std::string& order, std::array<int, 2> descriptors) {
  iovec part{};
  part.iov_base = const_cast<char*>(order.data());  // sendmsg(2) does not write to it
  part.iov_len = order.size();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(descriptors))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(descriptors));
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(descriptors));
  return sendmsg(channel.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(order.size());
}

}  // namespace potok::agent
