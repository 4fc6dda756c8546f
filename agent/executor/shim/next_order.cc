#include "agent/executor/shim/next_order.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/executor/shim/shim_record.h"
#include "agent/executor/shim/system_calls.h"

namespace potok::shim {
namespace {

constexpr std::size_t kDescriptors = 2;  // log, state

alignas(8) char bytes[agent::kOrderBytesMax];
const char* texts[agent::kOrderTextsMax + 2];

void LetGo() {
  Call(SYS_dup2, 0, 1);
  Call(SYS_dup2, 0, 2);
  Call(SYS_close, agent::kStateFd);  // unlocks it
  Call(SYS_chdir, "/");
}

void SetSigterm(int how) {
  const std::uint64_t set = std::uint64_t{1} << (SIGTERM - 1);
  Call(SYS_rt_sigprocmask, how, &set, nullptr, sizeof(set));
}

// Bytes of the message, or what is not above 0 without one. Its descriptors come into their places.
long Receive() {
  iovec part = {bytes, sizeof(bytes)};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptors * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const long size = Call(SYS_recvmsg, agent::kChannelFd, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (size <= 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(kDescriptors * sizeof(int))) {
    return -1;
  }
  const int* descriptors = reinterpret_cast<const int*>(CMSG_DATA(header));
  Call(SYS_dup2, descriptors[0], 1);
  Call(SYS_dup2, descriptors[0], 2);
  Call(SYS_close, descriptors[0]);
  // kStateFd is free, so that the lowest free number may have been just that.
  if (descriptors[1] != agent::kStateFd) {
    Call(SYS_dup3, descriptors[1], agent::kStateFd, O_CLOEXEC);
    Call(SYS_close, descriptors[1]);
  }
  return size;
}

// False if the message is not whole.
bool Read(std::size_t size, Order* order) {
  const auto* header = reinterpret_cast<const agent::OrderHeader*>(bytes);
  if (size <= sizeof(*header) || bytes[size - 1] != 0) return false;
  const std::size_t all = std::size_t{header->arguments} + header->variables;
  if (header->arguments <= agent::kArgCommand1 || all > agent::kOrderTextsMax) return false;
  std::size_t at = sizeof(*header);
  order->working_directory = bytes + at;
  const char** next = texts;
  for (std::size_t i = 0; i < all; ++i) {
    while (bytes[at] != 0) ++at;
    if (++at >= size) return false;
    if (i == header->arguments) *next++ = nullptr;
    *next++ = bytes + at;
  }
  if (header->variables == 0) *next++ = nullptr;
  *next = nullptr;
  order->argv = texts;
  order->environment = texts + header->arguments + 1;
  return true;
}

}  // namespace

bool NextOrder(std::uint64_t ended_id, Order* order) {
  LetGo();
  if (Call(SYS_sendto, agent::kChannelFd, &ended_id, sizeof(ended_id), MSG_NOSIGNAL) < 0) {
    return false;
  }
  SetSigterm(SIG_UNBLOCK);
  const long size = Receive();
  SetSigterm(SIG_BLOCK);
  if (size <= 0 || !Read(static_cast<std::size_t>(size), order)) return false;
  const long entered = Call(SYS_chdir, order->working_directory);
  order->directory_errno = entered < 0 ? static_cast<int>(-entered) : 0;
  return true;
}

}  // namespace potok::shim
