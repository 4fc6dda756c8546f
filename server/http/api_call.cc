#include "server/http/api_call.h"

#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <utility>

#include "common/rpc/status.h"

namespace potok::server {

namespace {

constexpr auto kWantedInterval = std::chrono::milliseconds(500);

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

ApiCall::ApiCall(const std::shared_ptr<grpc::Channel>& channel, const ApiRequest& request) {
  if (request.timeout.has_value()) {
    context_.set_deadline(std::chrono::system_clock::now() +
                          absl::ToChronoMilliseconds(*request.timeout));
  }
  stream_ = grpc::GenericStub(channel).PrepareCall(&context_, request.method, &queue_);
  stream_->StartCall(this);
  bool open = Wait(nullptr);
  for (const std::string& message : request.messages) {
    if (!open) return;
    stream_->Write(BufferOf(message), this);
    open = Wait(nullptr);
  }
  if (!open) return;
  stream_->WritesDone(this);
  Wait(nullptr);
}

ApiCall::~ApiCall() {
  context_.TryCancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

std::optional<std::string> ApiCall::Receive(const std::function<bool()>& is_wanted) {
  grpc::ByteBuffer buffer;
  stream_->Read(&buffer, this);
  if (!Wait(&is_wanted)) return std::nullopt;
  return BytesOf(buffer);
}

ApiError ApiCall::Finish() {
  grpc::Status status;
  stream_->Finish(&status, this);
  Wait(nullptr);
  return {FromGrpc(status), status.error_details()};
}

// Waits for the operation under way; whether it succeeded. One of a call that was ended fails.
bool ApiCall::Wait(const std::function<bool()>* is_wanted) {
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    const auto next =
        queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kWantedInterval);
    if (next == grpc::CompletionQueue::GOT_EVENT) return ok;
    if (next == grpc::CompletionQueue::SHUTDOWN) return false;
    if (is_wanted != nullptr && !(*is_wanted)()) context_.TryCancel();
  }
}

}  // namespace potok::server
