// One agent's stream on the server. The only class that talks to it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/runtime/mutex.h"
#include "potok/v1/agents.pb.h"
#include "server/domain/event.h"

namespace potok::server {

class AgentSession;

// What a session tells; called on gRPC's threads, must not block.
class AgentSessionListener {
 public:
  virtual ~AgentSessionListener() = default;
  // A message arrived. False: the session is to be closed with `why`.
  virtual bool OnMessage(AgentSession& session, v1::AgentMessage&& message, absl::Status* why) = 0;
  // Nothing more will come, and nothing can be sent.
  virtual void OnEnded(AgentSession& session) = 0;
};

// Reactions run on gRPC threads, possibly at once; Send and Close come from any thread and never
// block. The session owns itself from Start until OnDone; others hold a shared_ptr while they use
// it (measured contract of gRPC 1.51: ARCHITECTURE.md, "Streams").
class AgentSession final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ServerMessage> {
 public:
  AgentSession(SessionId id, AgentSessionListener& listener) : id_(id), listener_(listener) {}

  void Start(std::shared_ptr<AgentSession> self);
  // Queues; adjacent orders and acknowledgements that wait behind a write are joined into one
  // message. An agent that does not read is disconnected once kOutboxMax messages wait.
  void Send(v1::ServerMessage message);
  // Ends the stream with `why` after what is queued. Idempotent.
  void Close(const absl::Status& why);

  SessionId id() const { return id_; }
  // The machine's name, once it said Hello. Set by the listener in OnMessage, before any other
  // thread knows the session.
  const std::string& machine() const { return machine_; }
  void set_machine(std::string machine) { machine_ = std::move(machine); }
  // Whether commands may be run beside its steps; likewise.
  bool allows_exec() const { return allows_exec_; }
  void set_allows_exec(bool allows) { allows_exec_ = allows; }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  static constexpr std::size_t kOutboxMax = 4096;

  void FinishWhenIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool JoinLast(v1::ServerMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SessionId id_;
  AgentSessionListener& listener_;
  std::string machine_;
  bool allows_exec_ = false;
  v1::AgentMessage incoming_;
  std::shared_ptr<AgentSession> self_;

  Mutex mutex_;
  std::deque<v1::ServerMessage> outbox_ ABSL_GUARDED_BY(mutex_);  // front is the write in flight
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
