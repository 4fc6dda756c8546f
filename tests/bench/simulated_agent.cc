#include "tests/bench/simulated_agent.h"

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>

#include "common/base/random_id.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "potok/v1/agents.grpc.pb.h"
#include "tests/bench/machine.h"

namespace potok::bench {
namespace {

constexpr std::int64_t kGib = std::int64_t{1} << 30;

v1::AgentMessage HelloOf(const SimulatedAgent::Machine& machine) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_machine(machine.name);
  hello.set_state_id(machine.name);
  hello.set_boot_id(RandomId(16));  // what an earlier one of the name held is gone
  hello.set_agent_version("bench");
  hello.mutable_capacity()->set_cpu_millis(machine.places * 1000);
  hello.mutable_capacity()->set_memory_bytes(machine.places * kGib);
  hello.add_pools(machine.name);
  hello.set_isolation("none");
  return message;
}

}  // namespace

class SimulatedAgent::Stream {
 public:
  explicit Stream(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Agents::NewStub(channel)), stream_(stub_->Connect(&context_)) {}

  bool Read(v1::ServerMessage* message) { return stream_->Read(message); }
  bool Write(const v1::AgentMessage& message) { return stream_->Write(message); }
  void WritesDone() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  absl::Status Finish() { return FromGrpc(stream_->Finish()); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::Agents::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ServerMessage>> stream_;
};

absl::StatusOr<std::unique_ptr<SimulatedAgent>> SimulatedAgent::Connect(
    const std::shared_ptr<grpc::Channel>& channel, const Machine& machine, Ending ending) {
  auto stream = std::make_unique<Stream>(channel);
  v1::ServerMessage answer;
  if (!stream->Write(HelloOf(machine)) || !stream->Read(&answer) || !answer.has_welcome()) {
    stream->Cancel();
    return absl::UnavailableError(fmt::format(
        "no welcome for the simulated machine {}: {}", machine.name, stream->Finish().ToString()));
  }
  return std::unique_ptr<SimulatedAgent>(new SimulatedAgent(std::move(stream), ending));
}

SimulatedAgent::SimulatedAgent(std::unique_ptr<Stream> stream, Ending ending)
    : stream_(std::move(stream)), ending_(ending), thread_([this] { Answer(); }) {}

SimulatedAgent::~SimulatedAgent() {
  if (ending_ == Ending::kLeave) {
    v1::AgentMessage message;
    message.mutable_goodbye();
    stream_->Write(message);
    stream_->WritesDone();
  } else {
    stream_->Cancel();
  }
  thread_.join();
  stream_->Finish().IgnoreError();
}

void SimulatedAgent::Answer() {
  while (true) {
    google::protobuf::Arena arena;
    auto* message = google::protobuf::Arena::CreateMessage<v1::ServerMessage>(&arena);
    if (!stream_->Read(message)) return;
    auto* answer = google::protobuf::Arena::CreateMessage<v1::AgentMessage>(&arena);
    v1::Reports& reports = *answer->mutable_reports();
    for (const v1::Order& order : message->orders().orders()) {
      for (const bool has_ended : {false, true}) {
        v1::Report& report = *reports.add_reports();
        *report.mutable_id() = order.id();
        if (order.has_stop()) {
          report.mutable_stopped();
          break;
        }
        has_ended ? (void)report.mutable_succeeded() : (void)report.mutable_started();
      }
    }
    if (reports.reports_size() > 0) stream_->Write(*answer);
    if (message->orders().acknowledged_size() == 0) continue;
    acknowledged_at_ = NowMicros();
    acknowledged_ += message->orders().acknowledged_size();
  }
}

}  // namespace potok::bench
