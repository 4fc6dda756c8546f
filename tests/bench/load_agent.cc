#include "tests/bench/load_agent.h"

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <limits>
#include <optional>
#include <utility>

#include "common/base/random_id.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "potok/v1/agents.grpc.pb.h"
#include "tests/bench/machine.h"

namespace potok::bench {
namespace {

v1::AgentMessage HelloOf(const LoadMachine& machine) {
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello.set_machine(machine.name);
  hello.set_state_id(machine.name);
  hello.set_boot_id(RandomId(16));  // what an earlier one of the name held is gone
  hello.set_agent_version("load");
  hello.mutable_capacity()->set_cpu_millis(machine.cpus * 1000);
  hello.mutable_capacity()->set_memory_bytes(machine.memory_bytes);
  hello.add_pools(machine.pool);
  hello.set_isolation("none");
  return message;
}

std::shared_ptr<grpc::Channel> ConnectionOfItsOwn(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

// Owns itself until OnDone (ARCHITECTURE.md, "Streams").
class LoadAgent::Stream : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ServerMessage> {
 public:
  Stream(const std::string& address, LoadCounts& counts)
      : counts_(counts), stub_(v1::Agents::NewStub(ConnectionOfItsOwn(address))) {}

  void Begin(const LoadMachine& machine, std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    stub_->async()->Connect(&context_, this);
    AddHold();
    Say(HelloOf(machine));
    StartRead(&received_);
    StartCall();
  }

  void Vanish() {
    MutexLock lock(mutex_);
    leaving_ = true;
    context_.TryCancel();
    while (!done_.has_value()) changed_.wait(lock.native());
  }

  absl::Status WaitForWelcome() {
    MutexLock lock(mutex_);
    while (!welcomed_ && !done_.has_value()) changed_.wait(lock.native());
    if (welcomed_) return absl::OkStatus();
    return absl::UnavailableError("no welcome: " + done_->ToString());
  }

  void Beat() {
    v1::AgentMessage message;
    message.mutable_heartbeat()->set_sequence(++beats_);
    Say(std::move(message));
  }

  bool End(std::size_t count_max) {
    v1::AgentMessage message;
    {
      const MutexLock lock(mutex_);
      for (; count_max > 0 && !held_.empty(); --count_max) {
        v1::Report& report = *message.mutable_reports()->add_reports();
        *report.mutable_id() = held_.front();
        report.mutable_succeeded();
        held_.pop_front();
        freed_at_.push_back(NowMicros());
      }
    }
    const bool any = message.has_reports();
    if (any) Say(std::move(message));
    return any;
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        const MutexLock lock(mutex_);
        closed_ = true;
      }
      RemoveHold();
      return;
    }
    v1::AgentMessage answer;
    {
      const MutexLock lock(mutex_);
      if (received_.has_welcome()) {
        welcomed_ = true;
        changed_.notify_all();
      }
      for (const v1::Order& order : received_.orders().orders()) Obey(order, answer);
    }
    counts_.ended += received_.orders().acknowledged_size();
    if (answer.has_reports()) Say(std::move(answer));
    StartRead(&received_);
  }

  void OnWriteDone(bool ok) override {
    const MutexLock lock(mutex_);
    outbox_.pop_front();
    if (ok && !closed_ && !outbox_.empty()) StartWrite(&outbox_.front());
  }

  void OnDone(const grpc::Status& status) override {
    std::shared_ptr<Stream> self;  // gone with the last user, after the lock
    const MutexLock lock(mutex_);
    done_ = FromGrpc(status);
    if (!leaving_) ++counts_.broken;
    self = std::move(self_);
    changed_.notify_all();
  }

 private:
  void Say(v1::AgentMessage message) {
    const MutexLock lock(mutex_);
    if (closed_) return;
    outbox_.push_back(std::move(message));
    if (outbox_.size() == 1) StartWrite(&outbox_.front());
  }

  void Obey(const v1::Order& order, v1::AgentMessage& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto report = [&]() -> v1::Report& {
      v1::Report& one = *answer.mutable_reports()->add_reports();
      *one.mutable_id() = order.id();
      return one;
    };
    if (order.has_stop()) {
      std::erase_if(held_, [&](const v1::AttemptId& id) {
        return id.run() == order.id().run() && id.index() == order.id().index();
      });
      report().mutable_stopped();
      return;
    }
    ++counts_.ordered;
    if (!freed_at_.empty()) {
      const double took = NowMicros() - freed_at_.front();
      freed_at_.pop_front();
      const MutexLock lock(counts_.mutex);
      counts_.refill_us.push_back(took);
    }
    report().mutable_started();
    if (counts_.ends_at_once) {
      report().mutable_succeeded();
    } else {
      held_.push_back(order.id());
    }
  }

  LoadCounts& counts_;
  const std::unique_ptr<v1::Agents::Stub> stub_;
  grpc::ClientContext context_;
  v1::ServerMessage received_;
  std::shared_ptr<Stream> self_;
  std::atomic<std::uint64_t> beats_ = 0;

  Mutex mutex_;
  std::condition_variable changed_;
  bool welcomed_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> done_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AgentMessage> outbox_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AttemptId> held_ ABSL_GUARDED_BY(mutex_);
  std::deque<double> freed_at_ ABSL_GUARDED_BY(mutex_);
};

LoadAgent::LoadAgent(const std::string& address, const LoadMachine& machine, LoadCounts& counts)
    : stream_(std::make_shared<Stream>(address, counts)) {
  stream_->Begin(machine, stream_);
}
LoadAgent::~LoadAgent() {
  stream_->Vanish();
}
absl::Status LoadAgent::WaitForWelcome() {
  return stream_->WaitForWelcome();
}
void LoadAgent::Beat() {
  stream_->Beat();
}
bool LoadAgent::EndOne() {
  return stream_->End(1);
}
void LoadAgent::EndAll() {
  stream_->End(std::numeric_limits<std::size_t>::max());
}

}  // namespace potok::bench
