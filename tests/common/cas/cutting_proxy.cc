#include "tests/common/cas/cutting_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/check.h"

namespace potok {

namespace {

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  POTOK_CHECK(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool SendAll(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = send(fd, data, size, MSG_NOSIGNAL);
    if (count <= 0) return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::string listen_path,
                           std::string server_path,
                           Direction direction,
                           std::vector<std::int64_t> cuts)
    : server_path_(std::move(server_path)), direction_(direction), cuts_(cuts.begin(), cuts.end()) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(listen_path);
  unlink(listen_path.c_str());  // of one before
  POTOK_CHECK(bind(listener_, Generic(address), sizeof address) == 0);
  POTOK_CHECK(listen(listener_, 16) == 0);
  POTOK_CHECK(pipe(stop_) == 0);
  thread_ = std::thread([this] { Serve(); });
}

CuttingProxy::~CuttingProxy() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

void CuttingProxy::Serve() {
  for (;;) {
    pollfd events[2] = {{listener_, POLLIN, 0}, {stop_[0], 0, 0}};
    poll(events, 2, -1);
    if (events[1].revents != 0) return;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    Carry(client);
    close(client);
  }
}

std::int64_t CuttingProxy::NextCut() {
  if (cuts_.empty()) return -1;
  const std::int64_t cut = cuts_.front();
  cuts_.pop_front();
  return cut;
}

void CuttingProxy::Carry(int client) {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(server_path_);
  POTOK_CHECK(connect(server, Generic(address), sizeof address) == 0);
  std::int64_t left = NextCut();
  std::vector<char> buffer(16 * 1024);
  for (bool open = true; open;) {
    pollfd events[3] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], 0, 0}};
    poll(events, 3, -1);
    if (events[2].revents != 0) break;
    for (const auto& [from, to, direction] : {std::tuple{client, server, Direction::kToServer},
                                              {server, client, Direction::kToClient}}) {
      const pollfd& event = from == client ? events[0] : events[1];
      if (!open || event.revents == 0) continue;
      ssize_t count = recv(from, buffer.data(), buffer.size(), 0);
      const bool ours = direction == direction_ && count > 0;
      const bool counted = ours && left >= 0;
      if (counted) count = std::min(static_cast<std::int64_t>(count), left);
      if (ours) carried_bytes_ += count;
      open = count > 0 && SendAll(to, buffer.data(), static_cast<std::size_t>(count));
      if (counted && (left -= count) == 0) {
        ++cuts_done_;
        open = false;
      }
    }
  }
  close(server);
}

}  // namespace potok
