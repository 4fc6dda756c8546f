// The API over HTTP: POST /potok.v1.Runs/Get and the like, by the Connect protocol, put through to
// the gRPC handlers. Knows no method by name. See docs/decisions/0011-http-is-the-same-api.md.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace grpc {
class Channel;
}
namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace potok::server {

// Thread-safe. A streamed answer holds the connection's thread until it ends.
class ConnectBridge {
 public:
  // `channel` leads to the gRPC services of this process.
  explicit ConnectBridge(std::shared_ptr<grpc::Channel> channel);

  // Answers a POST (with its body) or GET whose path is "/PACKAGE.Service/Method".
  void Handle(const httplib::Request& request,
              const std::string& body,
              httplib::Response& response);

  // Answers held open at once; more are refused as RESOURCE_EXHAUSTED.
  static constexpr int kStreamsMax = 200;

 private:
  struct Call;
  void Answer(const Call& call, httplib::Response& response);
  void Stream(const Call& call, httplib::Response& response);

  const std::shared_ptr<grpc::Channel> channel_;
  // Shared with the answers that are still being sent.
  const std::shared_ptr<std::atomic<int>> streams_;
};

}  // namespace potok::server
