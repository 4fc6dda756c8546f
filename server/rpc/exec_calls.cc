#include "server/rpc/exec_calls.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/rpc/convert.h"

namespace potok::server {
namespace {

constexpr absl::Duration kJoinPatience = absl::Seconds(10);
constexpr std::size_t kCommandBytesMax = 64 << 10;

std::string NewToken() {
  std::array<char, 16> bytes{};
  // Never less than asked for, for so few: getrandom(2).
  POTOK_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

absl::Status CheckStart(const v1::ExecStart& start) {
  std::size_t bytes = 0;
  for (const std::string& word : start.argv()) {
    bytes += word.size() + 1;
    if (word.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError("a word of the command holds a zero byte");
    }
  }
  if (bytes > kCommandBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("the command is {} bytes long; at most {} go", bytes, kCommandBytesMax));
  }
  if (start.argv_size() > 0 && start.argv(0).empty()) {
    return absl::InvalidArgumentError("the name of the program is empty");
  }
  const bool is_sound =
      std::ranges::all_of(start.terminal_type(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_sound || start.terminal_type().size() > 64) {
    return absl::InvalidArgumentError("terminal_type is no name of a terminal");
  }
  const auto is_size = [](std::int32_t number) { return number >= 0 && number <= 10'000; };
  if (!is_size(start.size().rows()) || !is_size(start.size().columns())) {
    return absl::InvalidArgumentError("rows and columns of a terminal are 0 to 10000");
  }
  return absl::OkStatus();
}

// The machine where its command runs, or why it does not.
absl::StatusOr<MachineId> RunningOn(const StepState& state,
                                    const std::string& step,
                                    const std::string& run) {
  if (const auto* running = std::get_if<Running>(&state)) return running->placement.machine;
  const char* why = "has not started";
  if (std::holds_alternative<Uploading>(state)) why = "has ended: its outputs are being stored";
  if (std::holds_alternative<Stopping>(state) || std::holds_alternative<Leaving>(state)) {
    why = "is being ended";
  }
  if (std::holds_alternative<Assigned>(state)) why = "is just being started";
  if (std::holds_alternative<Open>(state)) why = "is that of the steps which it makes";
  if (IsTerminal(state)) why = "has ended";
  return absl::FailedPreconditionError(fmt::format(
      "nothing can be run beside the command of the step {0} of the run {1}, which {2}: potok job "
      "show -n {1}",
      step,
      run,
      why));
}

}  // namespace

grpc::ServerBidiReactor<v1::ExecRequest, v1::ExecResponse>* ExecCalls::Ask() {
  auto caller = std::make_shared<ExecCaller>();
  ExecCaller* reactor = caller.get();
  auto call = std::make_shared<ExecCall>(
      NewToken(),
      ExecCall::Hooks{.begin = [this](const std::shared_ptr<ExecCall>& of,
                                      const v1::ExecStart& start) { Begin(of, start); },
                      .ended = [this](const ExecCall& of) { Forget(of); }});
  absl::Status refused;
  {
    MutexLock lock(mutex_);
    refused = closed_;
    if (refused.ok() && calls_.size() >= kCallsMax) {
      refused = absl::ResourceExhaustedError(
          fmt::format("{} commands run beside steps, as many as may; try again later", kCallsMax));
    }
    if (refused.ok()) calls_.emplace(call->token(), call);
  }
  call->Start(std::move(caller));
  if (!refused.ok()) call->End(refused);
  return reactor;
}

void ExecCalls::Begin(const std::shared_ptr<ExecCall>& call, const v1::ExecStart& start) {
  const bool posted = parts_.queries.Post([this, call, start] {
    if (const absl::Status opened = Open(*call, start); !opened.ok()) call->End(opened);
  });
  if (!posted) call->End(absl::UnavailableError("the server is stopping"));
}

absl::Status ExecCalls::Open(ExecCall& call, v1::ExecStart start) {
  POTOK_RETURN_IF_ERROR(CheckStart(start));
  POTOK_ASSIGN_OR_RETURN(const Place place, Find(start));
  spdlog::info("exec run={} step={} attempt={} machine={} user={} command=\"{}\"",
               start.run(),
               place.step,
               place.key.attempt,
               place.machine,
               start.user(),
               absl::CEscape(fmt::format("{}", fmt::join(start.argv(), " "))));
  // Before the agent is told: it may be quick.
  call.ExpectAgent(
      kJoinPatience,
      absl::UnavailableError(fmt::format("the agent of the machine {} did not answer within {} s",
                                         place.machine,
                                         absl::ToInt64Seconds(kJoinPatience))));
  v1::OpenExec open;
  open.set_token(call.token());
  *open.mutable_id() = server::ToProto(place.key);
  *open.mutable_start() = std::move(start);
  return parts_.switchboard.OpenExec(place.machine, std::move(open));
}

absl::StatusOr<ExecCalls::Place> ExecCalls::Find(const v1::ExecStart& start) {
  if (!parts_.projector
           .WaitFor(parts_.scheduler.committed_revision(), absl::Seconds(10), Haste::kNow)
           .ok()) {
    return absl::UnavailableError("the tables are behind the journal; try again in a few seconds");
  }
  POTOK_ASSIGN_OR_RETURN(const RunRow run, parts_.view.reader().GetRun(start.run()));
  if (!run.added.submitter.empty() && run.added.submitter != start.user()) {
    return absl::PermissionDeniedError(
        fmt::format("the run {} was submitted by {}, who alone may run commands beside its steps; "
                    "you are {}",
                    start.run(),
                    run.added.submitter,
                    start.user().empty() ? "nobody" : start.user()));
  }
  POTOK_ASSIGN_OR_RETURN(const auto steps, parts_.view.FindSteps(run, start.step(), {}));
  if (steps.size() != 1) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' names {} steps of the run {}; name one", start.step(), steps.size(), start.run()));
  }
  const auto& [index, name] = steps.front();
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepRow> rows, parts_.view.StepsOf(run));
  const auto row = std::ranges::find(rows, index, &StepRow::index);
  if (row == rows.end()) return absl::InternalError("the step has no state");
  POTOK_ASSIGN_OR_RETURN(const MachineId machine, RunningOn(row->state, name, start.run()));
  return Place{{run.added.id, index, row->attempt}, parts_.view.NameOf(machine), name};
}

grpc::ServerBidiReactor<v1::AgentExecMessage, v1::ExecRequest>* ExecCalls::Join() {
  auto agent = std::make_shared<ExecAgent>();
  ExecAgent* reactor = agent.get();
  // Nothing until it has joined.
  const auto call = std::make_shared<std::shared_ptr<ExecCall>>();
  const std::weak_ptr<ExecAgent> weak = agent;
  reactor->Start(std::move(agent),
                 {.read =
                      [this, call, weak](bool ok) {
                        if (*call != nullptr) return (*call)->AgentRead(ok);
                        if (const auto self = weak.lock()) Joined(self, ok, call.get());
                      },
                  .written =
                      [call](bool ok) {
                        if (*call != nullptr) (*call)->AgentWritten(ok);
                      },
                  .cut =
                      [weak] {
                        if (const auto self = weak.lock()) self->End(absl::CancelledError("cut"));
                      }});
  return reactor;
}

// `call` is set before anything else can happen on the stream.
void ExecCalls::Joined(const std::shared_ptr<ExecAgent>& agent,
                       bool ok,
                       std::shared_ptr<ExecCall>* call) {
  if (!ok) return agent->End(absl::CancelledError("cut"));
  {
    MutexLock lock(mutex_);
    const auto found = calls_.find(agent->in().join());
    if (found != calls_.end()) *call = found->second;
  }
  if (*call != nullptr && (*call)->Join(agent)) return;
  *call = nullptr;
  agent->End(absl::NotFoundError("nobody waits for this command any more"));
}

void ExecCalls::Forget(const ExecCall& call) {
  MutexLock lock(mutex_);
  calls_.erase(call.token());
}

void ExecCalls::CloseAll(const absl::Status& why) {
  std::map<std::string, std::shared_ptr<ExecCall>> calls;
  {
    MutexLock lock(mutex_);
    closed_ = why;
    calls = calls_;
  }
  for (const auto& [token, call] : calls) call->End(why);
}

}  // namespace potok::server
