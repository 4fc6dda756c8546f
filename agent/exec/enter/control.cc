#include "agent/exec/enter/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/exec/enter/descriptors.h"

namespace potok::enter {

bool Say(const std::string& word, int descriptor) {
  iovec part{const_cast<char*>(word.data()), word.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  if (descriptor >= 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  return sendmsg(agent::kEnterControlFd, &message, MSG_NOSIGNAL) >= 0;
}

void Fail(const std::string& what) {
  FailSaying(what + ": " + std::strerror(errno));
}

void FailSaying(const std::string& text) {
  Say("failed " + text.substr(0, agent::kEnterWordMax - 16));
  _exit(1);
}

std::string Hear() {
  std::array<char, agent::kEnterWordMax> word{};
  const ssize_t size = recv(agent::kEnterControlFd, word.data(), word.size(), 0);
  return size > 0 ? std::string(word.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace potok::enter
