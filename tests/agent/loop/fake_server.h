// A server for one agent, in this process, on a unix socket: it orders what a test says, remembers
// what the agent says, and stores blobs.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/link/wire.h"
#include "common/base/check.h"
#include "common/cas/blob_store.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "potok/v1/agents.grpc.pb.h"
#include "server/rpc/cas/byte_stream_service.h"
#include "server/rpc/cas/cas_service.h"

namespace potok::agent {

class FakeServer final : public v1::Agents::Service {
 public:
  FakeServer(const std::string& folder, std::string socket)
      : address_("unix:" + std::move(socket)), blobs_(*BlobStore::Open({folder, false, 0})) {
    Begin();
  }
  ~FakeServer() override { End(); }

  // Comes up again on the same socket, as a server that was restarted.
  void Begin() {
    services_.push_back(server::MakeCasService(*blobs_));
    services_.push_back(server::MakeCapabilitiesService());
    services_.push_back(server::MakeByteStreamService(*blobs_));
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    for (const auto& service : services_) builder.RegisterService(service.get());
    // The last user of gRPC stops the library, which may wait for ten seconds for a poller (seen
    // with 1.51). So one use of it never ends.
    static const bool kInitialized = (grpc_init(), true);
    server_ = kInitialized ? builder.BuildAndStart() : nullptr;
    POTOK_CHECK(server_ != nullptr);
  }
  void End() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_all();
    }
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    services_.clear();
    ending_ = false;
  }

  const std::string& address() const { return address_; }
  BlobStore& blobs() { return *blobs_; }

  void Order(const AttemptKey& key, v1::StartAttempt start) {
    v1::ServerMessage message;
    v1::Order& order = *message.mutable_orders()->add_orders();
    *order.mutable_id() = ToProto(key);
    *order.mutable_start() = std::move(start);
    Push(std::move(message));
  }
  void Stop(const AttemptKey& key, absl::Duration grace) {
    v1::ServerMessage message;
    v1::Order& order = *message.mutable_orders()->add_orders();
    *order.mutable_id() = ToProto(key);
    order.mutable_stop()->set_grace_ms(absl::ToInt64Milliseconds(grace));
    Push(std::move(message));
  }

  // Waits, at most a minute, until the condition holds; it is called under the lock.
  bool Await(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::minutes(1), condition)) return true;
    for (const auto& [key, end] : ends) {
      std::fprintf(stderr, "attempt %s ended: %s\n", ToString(key).c_str(), TextOf(end).c_str());
    }
    return false;
  }
  // The report that ended an attempt, once there is one.
  ReportEvent AwaitEnd(const AttemptKey& key) {
    POTOK_CHECK(Await([&] { return ends.contains(key); }));
    std::lock_guard lock(mutex_);
    return ends.at(key);
  }
  std::string AwaitLog(const AttemptKey& key) {
    POTOK_CHECK(Await([&] { return finals.contains(key); }));
    std::lock_guard lock(mutex_);
    return logs[key];
  }

  // Under the lock: read in Await's conditions, or when nothing moves.
  std::vector<v1::Hello> hellos;
  std::vector<Report> reports;
  std::map<AttemptKey, ReportEvent> ends;
  std::map<AttemptKey, std::string> logs;
  std::map<AttemptKey, bool> finals;
  AttemptKey refused;  // logs of this attempt end the stream
  int heartbeats = 0;
  bool goodbye = false;

 private:
  using Stream = grpc::ServerReaderWriter<v1::ServerMessage, v1::AgentMessage>;

  static std::string TextOf(const ReportEvent& end) {
    return ToProto(Report{{}, end}).ShortDebugString();
  }

  void Push(v1::ServerMessage message) {
    std::lock_guard lock(mutex_);
    outbox_.push_back(std::move(message));
    changed_.notify_all();
  }

  grpc::Status Connect(grpc::ServerContext*, Stream* stream) override {
    v1::AgentMessage message;
    if (!stream->Read(&message)) return grpc::Status::OK;
    v1::ServerMessage welcome;
    welcome.mutable_welcome()->set_lease_ms(60000);
    welcome.mutable_welcome()->set_heartbeat_interval_ms(20);
    *welcome.mutable_welcome()->mutable_keep() = message.hello().live();
    for (const v1::Report& report : message.hello().unacknowledged()) Hear(report);
    Push(std::move(welcome));
    bool over = false;
    std::thread writer([&] { Write(*stream, over); });
    {
      std::lock_guard lock(mutex_);
      hellos.push_back(message.hello());
      changed_.notify_all();
    }
    while (stream->Read(&message)) Hear(message);
    {
      std::lock_guard lock(mutex_);
      over = true;
      changed_.notify_all();
    }
    writer.join();
    return grpc::Status::OK;
  }

  void Write(Stream& stream, const bool& over) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return over || ending_ || !outbox_.empty(); });
      if (over || ending_) return;
      const v1::ServerMessage message = std::move(outbox_.front());
      outbox_.pop_front();
      lock.unlock();
      stream.Write(message);
      lock.lock();
    }
  }

  void Hear(const v1::AgentMessage& message) {
    if (message.has_heartbeat()) {
      v1::ServerMessage answer;
      answer.mutable_heartbeat_ack()->set_sequence(message.heartbeat().sequence());
      Push(std::move(answer));
    }
    for (const v1::Report& report : message.reports().reports()) Hear(report);
    std::lock_guard lock(mutex_);
    heartbeats += message.has_heartbeat() ? 1 : 0;
    goodbye = goodbye || message.has_goodbye();
    changed_.notify_all();
  }

  void Hear(const v1::Report& wire) {
    const Report report = *FromProto(wire);
    {
      std::lock_guard lock(mutex_);
      reports.push_back(report);
      if (IsTerminal(report.event)) ends[report.key] = report.event;
      changed_.notify_all();
    }
    if (!IsTerminal(report.event)) return;
    v1::ServerMessage acks;
    *acks.mutable_orders()->add_acknowledged() = wire.id();
    Push(std::move(acks));
  }

  grpc::Status AppendLog(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::AppendLogResponse, v1::AppendLogRequest>* stream) override {
    v1::AppendLogRequest request;
    while (stream->Read(&request)) {
      v1::AppendLogResponse answer;
      {
        std::lock_guard lock(mutex_);
        const AttemptKey key = FromProto(request.id());
        if (key == refused) return {grpc::StatusCode::NOT_FOUND, "no such run"};
        std::string& log = logs[key];
        const auto offset = static_cast<std::size_t>(request.offset());
        if (offset > log.size()) {
          return ToGrpc(absl::OutOfRangeError(fmt::format("resume at {}", log.size())));
        }
        if (offset + request.data().size() > log.size()) {
          log.replace(offset, std::string::npos, request.data());
        }
        if (request.final()) finals[key] = true;
        *answer.mutable_id() = request.id();
        answer.set_stored_bytes(static_cast<std::int64_t>(log.size()));
        changed_.notify_all();
      }
      stream->Write(answer);
    }
    return grpc::Status::OK;
  }

  const std::string address_;
  const std::unique_ptr<BlobStore> blobs_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<v1::ServerMessage> outbox_;
  bool ending_ = false;
};

}  // namespace potok::agent
