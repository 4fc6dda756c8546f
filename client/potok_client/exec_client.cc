#include "client/potok_client/exec_client.h"

#include <grpcpp/channel.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "common/rpc/status.h"
#include "potok/v1/runs.grpc.pb.h"

namespace potok::client {
namespace {

constexpr std::size_t kPieceBytes = 16'384;
constexpr int kLookMilliseconds = 200;  // at the size of the terminal, and for an interrupt

using Stream = grpc::ClientReaderWriter<v1::ExecRequest, v1::ExecResponse>;

// What goes to the command, on a thread of its own.
class Sender {
 public:
  Sender(Stream& stream, const ExecSides& sides, const v1::TerminalSize& size)
      : stream_(stream),
        sides_(sides),
        input_(sides.input),
        rows_(size.rows()),
        columns_(size.columns()),
        end_(eventfd(0, EFD_CLOEXEC)),
        thread_([this] { Run(); }) {}
  ~Sender() {
    eventfd_write(end_, 1);
    thread_.join();
    close(end_);
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

 private:
  void Run() {
    if (input_ < 0) SendEnd();
    for (;;) {
      std::array<pollfd, 2> ready{{{end_, POLLIN, 0}, {input_, POLLIN, 0}}};
      const int found = poll(ready.data(), ready.size(), kLookMilliseconds);
      if (ready[0].revents != 0) return;
      if (found > 0 && ready[1].revents != 0) SendInput();
      SendSize();
      SendInterrupt();
    }
  }
  void SendInput() {
    std::array<char, kPieceBytes> piece{};
    const ssize_t size = read(input_, piece.data(), piece.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (size <= 0) {
      input_ = -1;
      return SendEnd();
    }
    v1::ExecRequest request;
    request.set_input(piece.data(), static_cast<std::size_t>(size));
    stream_.Write(request);
  }
  void SendEnd() {
    v1::ExecRequest request;
    request.mutable_input_end();
    stream_.Write(request);
  }
  void SendSize() {
    if (!sides_.size) return;
    const auto [columns, rows] = sides_.size();
    if (static_cast<int>(columns) == columns_ && static_cast<int>(rows) == rows_) return;
    columns_ = static_cast<int>(columns);
    rows_ = static_cast<int>(rows);
    v1::ExecRequest request;
    request.mutable_size()->set_rows(rows_);
    request.mutable_size()->set_columns(columns_);
    stream_.Write(request);
  }
  void SendInterrupt() {
    if (interrupted_ || !sides_.interrupted.stop_requested()) return;
    interrupted_ = true;
    v1::ExecRequest request;
    request.set_signal(SIGINT);
    stream_.Write(request);
  }

  Stream& stream_;
  const ExecSides& sides_;
  int input_;
  int rows_;
  int columns_;
  bool interrupted_ = false;
  const int end_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

absl::StatusOr<v1::ExecEnded> RunExec(const std::shared_ptr<grpc::Channel>& channel,
                                      v1::ExecStart start,
                                      const ExecSides& sides) {
  const auto stub = v1::Runs::NewStub(channel);
  grpc::ClientContext context;
  const std::unique_ptr<Stream> stream = stub->Exec(&context);
  const v1::TerminalSize size = start.size();
  v1::ExecRequest request;
  *request.mutable_start() = std::move(start);
  stream->Write(request);
  std::optional<Sender> sender;
  std::optional<v1::ExecEnded> ended;
  v1::ExecResponse response;
  while (stream->Read(&response)) {
    switch (response.message_case()) {
      case v1::ExecResponse::kStarted:
        if (sides.started) sides.started(response.started());
        if (!sender) sender.emplace(*stream, sides, size);
        break;
      case v1::ExecResponse::kOutput:
        sides.output(response.output(), false);
        break;
      case v1::ExecResponse::kErrorOutput:
        sides.output(response.error_output(), true);
        break;
      case v1::ExecResponse::kEnded:
        ended = response.ended();
        break;
      default:
        break;  // of a newer server
    }
  }
  sender.reset();
  const absl::Status status = FromGrpc(stream->Finish());
  if (!status.ok()) return status;
  if (!ended) return absl::InternalError("the server ended the call without saying how");
  return *ended;
}

}  // namespace potok::client
