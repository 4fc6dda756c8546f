// The link over gRPC: one bidirectional stream.
#pragma once

#include <functional>
#include <memory>

#include "agent/link/link.h"

namespace grpc {
class Channel;
}

namespace potok::agent {

class GrpcLink final : public Link {
 public:
  // `post` is called from gRPC's threads and must not block; never after the destructor.
  GrpcLink(std::shared_ptr<grpc::Channel> channel, std::function<void(LinkNews)> post);
  ~GrpcLink() override;

  void Open(std::uint64_t session, const Hello& hello) override;
  void SendHeartbeat(std::uint64_t sequence, const std::vector<UsageSoFar>& usage) override;
  void SendReports(const std::vector<Report>& reports) override;
  void SayGoodbye() override;

 private:
  class Stream;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::function<void(LinkNews)> post_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace potok::agent
