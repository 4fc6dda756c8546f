#include "tests/server/artifacts/web_source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/check.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// What a request's head says.
std::size_t BodyBytesOf(const std::string& head) {
  const std::size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoull(head.substr(at + 16));
}

}  // namespace

WebSource::WebSource(Answer answer) : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  POTOK_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0);
  POTOK_CHECK(getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

WebSource::~WebSource() {
  closed_ = true;
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string WebSource::Url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<std::string> WebSource::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void WebSource::Serve() {
  while (!closed_) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    std::string head;
    std::string buffer(4096, '\0');
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      head.append(buffer, 0, static_cast<std::size_t>(count));
    }
    const std::size_t whole = head.find("\r\n\r\n") + 4 + BodyBytesOf(head);
    while (head.size() < whole) {
      const ssize_t count = recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      head.append(buffer, 0, static_cast<std::size_t>(count));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    const std::string answer = answer_(head);
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t count = send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    close(client);
  }
}

std::string Reply(const std::string& status, const std::string& lines, const std::string& body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), lines, body);
}

std::int64_t RangeOf(const std::string& head) {
  const std::size_t at = head.find("Range: bytes=");
  return at == std::string::npos ? 0 : std::stoll(head.substr(at + 13));
}

}  // namespace potok::server
