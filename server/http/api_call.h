// Calls of the gRPC services of this process by name, with messages as bytes: what the HTTP port
// puts its requests through, so that there is one set of handlers.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/http/connect_protocol.h"

namespace potok::server {

struct ApiRequest {
  std::string method;                 // "/potok.v1.Runs/Get"
  std::vector<std::string> messages;  // binary; all are sent before the first is received
  std::optional<absl::Duration> timeout;
};

// One call under way, of any kind. One thread. Ended when it is destroyed.
class ApiCall {
 public:
  // Starts the call and sends the messages.
  ApiCall(const std::shared_ptr<grpc::Channel>& channel, const ApiRequest& request);
  ~ApiCall();
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;

  // The next message of the answer, waited for; nothing at the end. While it waits it asks twice a
  // second whether it is still wanted, and ends the call if not.
  std::optional<std::string> Receive(const std::function<bool()>& is_wanted);

  // How the call ended; waits for that. To be called once, after Receive gave nothing.
  ApiError Finish();

 private:
  bool Wait(const std::function<bool()>* is_wanted);

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace potok::server
