// The HTTP port as a whole: raw bytes over a connection to it, and behind it a service that answers
// every call with what it was sent. "TOKEN" in the input stands for the token.
#include <arpa/inet.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "potok/v1/agents.pb.h"
#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"
#include "server/http/access.h"
#include "server/http/http_server.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;

// Sends each message back, and ends when the caller has.
class Echo final : public grpc::ServerGenericBidiReactor {
 public:
  Echo() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (ok) {
      StartWrite(&message_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      StartRead(&message_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer message_;
};

class EchoService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Echo();
  }
};

struct Port {
  Port() {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service);
    api = builder.BuildAndStart();
    access = Access::Open(PrivateFolder() + "/http.token").value();
    std::ifstream(PrivateFolder() + "/http.token") >> token;
    HttpSources sources;
    sources.metrics = [] { return "potok_up 1\n"; };
    sources.healthy = [] { return absl::OkStatus(); };
    sources.ready = [] { return absl::UnavailableError("starting"); };
    sources.api = api->InProcessChannel({});
    sources.access = access.get();
    http = HttpServer::Start("127.0.0.1:0", sources).value();
    const std::string number = http->address().substr(http->address().rfind(':') + 1);
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(number)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }

  EchoService service;
  std::unique_ptr<grpc::Server> api;
  std::unique_ptr<Access> access;
  std::string token;
  std::unique_ptr<HttpServer> http;
  sockaddr_in address{};
};

std::string WithToken(std::string text, const std::string& token) {
  const std::string mark = "TOKEN";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    text.replace(at, mark.size(), token);
  }
  return text;
}

// All that comes back for these bytes and the end of them.
std::string Exchange(const sockaddr_in& address, const std::string& request) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  POTOK_CHECK(socket >= 0);
  // Each time from another address of this host: the ports of one do not last a minute.
  static std::uint32_t number = 0;
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number++ % 60'000);
  POTOK_CHECK(bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // libFuzzer's clock interrupts; anything else would be the end of the port.
    POTOK_CHECK(errno == EINTR || errno == EADDRNOTAVAIL);
    close(socket);
    return "";
  }
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t now = send(socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    sent += static_cast<std::size_t>(now);
  }
  shutdown(socket, SHUT_WR);
  std::string answer;
  char buffer[65536];
  while (answer.size() < kAnswerBytesMax) {
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  close(socket);
  return answer;
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Nobody gets anything without the token but what is open to all.
void Check(const std::string& input, const std::string& answer) {
  if (answer.empty()) return;
  POTOK_CHECK(answer.starts_with("HTTP/1.1 ") || answer.starts_with("HTTP/1.0 "));
  if (Holds(input, "TOKEN")) return;
  const bool is_open = Holds(answer, "potok_up 1") || Holds(answer, "ok\n");
  POTOK_CHECK(is_open || !answer.starts_with("HTTP/1.1 200"));
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  static const Port port;
  // The services whose names are asked for are those that the program holds.
  v1::ListRunsRequest::descriptor();
  v1::Machine::descriptor();
  v1::Hello::descriptor();
  const std::string input = TextOf(data, size);
  Check(input, Exchange(port.address, WithToken(input, port.token)));
  return 0;
}
