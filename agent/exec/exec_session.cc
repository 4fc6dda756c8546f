#include "agent/exec/exec_session.h"

#include <grpcpp/channel.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "common/runtime/logging.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {
namespace {

constexpr std::size_t kPieceBytes = 32'768;
constexpr int kPiecesAfterEnd = 64;  // more than pipes and terminals hold

// A pipe that nobody reads any more is an error of write(2), not the end of the agent.
void IgnoreBrokenPipes() {
  sigset_t broken;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, nullptr);
}

}  // namespace

void ExecSession::Run(const std::shared_ptr<grpc::Channel>& channel) {
  NameThread("exec");
  IgnoreBrokenPipes();
  const auto stub = v1::Agents::NewStub(channel);
  const std::unique_ptr<Stream> stream = stub->Exec(&context_);
  v1::AgentExecMessage message;
  message.set_join(order_.token);
  stream->Write(message);
  message.Clear();
  const absl::StatusOr<SideEnd> end = RunCommand(*stream);
  if (end.ok()) {
    v1::ExecEnded& ended = *message.mutable_response()->mutable_ended();
    ended.set_exit_code(end->exit_code);
    ended.set_signal(end->signal);
  } else {
    v1::ExecFailed& failed = *message.mutable_response()->mutable_failed();
    failed.set_code(static_cast<int>(end.status().code()));
    failed.set_message(std::string(end.status().message()));
  }
  spdlog::info("exec ended attempt={} user={} result=\"{}\"",
               ToString(order_.key),
               order_.user,
               end.ok() ? fmt::format("exit code {}", end->exit_code) : end.status().ToString());
  stream->Write(message);
  stream->WritesDone();
  // The server ends the call once it has read that.
  if (requests_.joinable()) {
    requests_.join();
  } else {
    v1::ExecRequest ignored;
    while (stream->Read(&ignored)) continue;
  }
  stream->Finish().IgnoreError();
}

void ExecSession::Kill() {
  MutexLock lock(mutex_);
  killed_ = true;
  if (live_ != nullptr) live_->Kill();
}

void ExecSession::Cut() {
  Kill();
  context_.TryCancel();
}

absl::StatusOr<SideEnd> ExecSession::RunCommand(Stream& stream) {
  POTOK_RETURN_IF_ERROR(command_.status());
  spdlog::info("exec begins attempt={} user={} command=\"{}\"",
               ToString(order_.key),
               order_.user,
               fmt::join(order_.argv, " "));
  POTOK_ASSIGN_OR_RETURN(side_, SideProcess::Start(settings_.enter_path, order_, *command_));
  {
    MutexLock lock(mutex_);
    live_ = side_.get();
    if (killed_) side_->Kill();
  }
  v1::AgentExecMessage message;
  v1::ExecStarted& started = *message.mutable_response()->mutable_started();
  started.set_machine(settings_.machine);
  started.set_attempt(static_cast<std::int32_t>(order_.key.attempt));
  stream.Write(message);
  requests_ = std::thread([this, &stream] {
    NameThread("exec-input");
    IgnoreBrokenPipes();
    TakeRequests(stream);
  });
  absl::StatusOr<SideEnd> end = ForwardAll(stream);
  {
    MutexLock lock(mutex_);
    live_ = nullptr;
  }
  side_->HangUp();
  return end;
}

void ExecSession::TakeRequests(Stream& stream) {
  v1::ExecRequest request;
  while (stream.Read(&request)) {
    switch (request.message_case()) {
      case v1::ExecRequest::kInput:
        side_->WriteInput(request.input());  // what nobody reads any more is left out
        break;
      case v1::ExecRequest::kInputEnd:
        side_->EndInput();
        break;
      case v1::ExecRequest::kSize:
        side_->Resize(request.size().rows(), request.size().columns());
        break;
      case v1::ExecRequest::kSignal:
        side_->Signal(request.signal());
        break;
      default:
        break;  // of a newer client
    }
  }
  side_->HangUp();
}

// What can be read at once; at the end of it the descriptor is closed.
void ExecSession::ForwardFrom(int from, bool is_error, Stream& stream) {
  std::array<char, kPieceBytes> piece{};
  const ssize_t size = read(from, piece.data(), piece.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // EIO is the end of a terminal whose other end nobody has open.
  if (size <= 0) return is_error ? side_->CloseErrorOutput() : side_->CloseOutput();
  v1::AgentExecMessage message;
  v1::ExecResponse& response = *message.mutable_response();
  std::string& text = is_error ? *response.mutable_error_output() : *response.mutable_output();
  text.assign(piece.data(), static_cast<std::size_t>(size));
  if (!stream.Write(message)) side_->HangUp();
}

absl::StatusOr<SideEnd> ExecSession::ForwardAll(Stream& stream) {
  std::optional<absl::StatusOr<SideEnd>> end;
  int rest = kPiecesAfterEnd;
  for (;;) {
    std::array<pollfd, 3> ready{{{side_->output(), POLLIN, 0},
                                 {side_->error_output(), POLLIN, 0},
                                 {end ? -1 : side_->control(), POLLIN, 0}}};
    const int found = poll(ready.data(), ready.size(), end ? 0 : -1);
    if (found < 0 && errno != EINTR) return absl::InternalError("its output cannot be waited for");
    // What is not there when it has ended is not its own, nor what never stops coming.
    if (end && (found == 0 || --rest == 0)) return *std::move(end);
    if (found <= 0) continue;
    if (ready[0].revents != 0) ForwardFrom(ready[0].fd, false, stream);
    if (ready[1].revents != 0) ForwardFrom(ready[1].fd, true, stream);
    if (ready[2].revents != 0) end = side_->End();
  }
}

}  // namespace potok::agent
