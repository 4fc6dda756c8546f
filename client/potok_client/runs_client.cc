#include "client/potok_client/runs_client.h"

#include <grpcpp/channel.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/potok_client/run_state.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/pipeline/suggest.h"
#include "common/rpc/status.h"
#include "potok/v1/runs.grpc.pb.h"

namespace potok::client {
namespace {

// Create's message limit (runs.proto).
constexpr std::size_t kChunkBytesMax = 1 << 20;
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout = absl::Seconds(60)) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
}

// Reads a stream to its end, until `read` has enough (it returns false), or until `stop`.
template <class Answer, class Start, class Read>
absl::Status ReadAll(const Start& start, const Read& read, const std::stop_token& stop) {
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto reader = start(&context);
  Answer answer;
  bool enough = false;
  while (!enough && reader->Read(&answer)) enough = !read(answer);
  if (enough) context.TryCancel();
  const absl::Status status = FromGrpc(reader->Finish());
  if (enough) return absl::OkStatus();
  return stop.stop_requested() ? absl::CancelledError("stopped by the caller") : status;
}

}  // namespace

class RunsClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Runs::NewStub(channel)) {}
  v1::Runs::Stub& stub() { return *stub_; }

  absl::Status TryCreate(const std::string& spec,
                         const std::string& request_id,
                         const std::string& submitter,
                         const std::vector<v1::RunDependency>& after,
                         v1::CreateRunResponse* response) {
    grpc::ClientContext context;
    // No deadline: the server may have data to fetch first. That it is gone keepalive notices.
    const auto writer = stub_->Create(&context, response);
    v1::CreateRunRequest request;
    request.set_request_id(request_id);
    request.set_submitter(submitter);
    request.mutable_after()->Add(after.begin(), after.end());
    std::size_t at = 0;
    do {
      request.set_spec_chunk(spec.substr(at, kChunkBytesMax));
      at += kChunkBytesMax;
      if (!writer->Write(request)) break;  // Finish says why
      request.Clear();
    } while (at < spec.size());
    writer->WritesDone();
    return FromGrpc(writer->Finish());
  }

 private:
  std::unique_ptr<v1::Runs::Stub> stub_;
};

RunsClient::RunsClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
RunsClient::~RunsClient() = default;
RunsClient::RunsClient(RunsClient&&) noexcept = default;

absl::StatusOr<v1::CreateRunResponse> RunsClient::Create(
    const v1::PipelineSpec& spec,
    const std::string& submitter,
    const std::vector<v1::RunDependency>& after,
    absl::Duration patience) {
  const std::string request_id = RandomId(24);
  const std::string bytes = spec.SerializeAsString();
  const absl::Time deadline = absl::Now() + patience;
  for (absl::Duration wait = absl::Milliseconds(100);;
       wait = std::min(wait * 2, absl::Seconds(2))) {
    v1::CreateRunResponse response;
    const absl::Status status = calls_->TryCreate(bytes, request_id, submitter, after, &response);
    if (status.ok()) return response;
    const bool worth_retrying = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
    if (!worth_retrying || absl::Now() + wait > deadline) return status;
    absl::SleepFor(wait);
  }
}

// Of the newest runs the one that a wrong name may have meant is told beside the error.
absl::Status RunsClient::WithSuggestion(absl::Status status, const std::string& name) {
  constexpr std::size_t kRunsMax = 1000;
  const std::string message(status.message());
  if (!absl::IsNotFound(status) || message != "there is no run '" + name + "'") return status;
  const auto runs = List({}, kRunsMax, absl::Seconds(5));
  if (!runs.ok()) return status;
  std::vector<std::string> names;
  for (const v1::Run& run : *runs) names.push_back(run.name());
  const std::optional<std::string> nearest = NearestName(name, names);
  if (!nearest) return status;
  return absl::NotFoundError(message + "; did you mean '" + *nearest + "'?");
}

absl::StatusOr<v1::Run> RunsClient::Get(const std::string& name,
                                        bool without_spec,
                                        absl::Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  v1::GetRunRequest request;
  request.set_name(name);
  request.set_without_spec(without_spec);
  v1::Run run;
  POTOK_RETURN_IF_ERROR(
      WithSuggestion(FromGrpc(calls_->stub().Get(&context, request, &run)), name));
  return run;
}

absl::StatusOr<std::vector<v1::Run>> RunsClient::List(const v1::ListRunsRequest& filter,
                                                      std::size_t results_max,
                                                      absl::Duration page_timeout) {
  constexpr std::size_t kPageMax = 1000;  // runs.proto
  std::vector<v1::Run> runs;
  v1::ListRunsRequest request = filter;
  while (runs.size() < results_max) {
    request.set_page_size(static_cast<std::int32_t>(std::min(results_max - runs.size(), kPageMax)));
    grpc::ClientContext context;
    SetDeadline(context, page_timeout);
    v1::ListRunsResponse page;
    POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().List(&context, request, &page)));
    for (v1::Run& run : *page.mutable_runs()) {
      if (runs.size() < results_max) runs.push_back(std::move(run));
    }
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  return runs;
}

absl::StatusOr<v1::ExplainResponse> RunsClient::Explain(const std::string& name,
                                                        const std::vector<std::string>& steps) {
  grpc::ClientContext context;
  SetDeadline(context, absl::Minutes(5));
  v1::ExplainRequest request;
  request.set_name(name);
  request.mutable_steps()->Assign(steps.begin(), steps.end());
  v1::ExplainResponse response;
  POTOK_RETURN_IF_ERROR(
      WithSuggestion(FromGrpc(calls_->stub().Explain(&context, request, &response)), name));
  return response;
}

absl::StatusOr<v1::ExplainResponse> RunsClient::Foresee(const v1::PipelineSpec& spec) {
  grpc::ClientContext context;
  v1::ForeseeRequest request;
  *request.mutable_spec() = spec;
  v1::ExplainResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().Foresee(&context, request, &response)));
  return response;
}

absl::Status RunsClient::Cancel(const std::string& name, const std::string& reason) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::CancelRunRequest request;
  request.set_name(name);
  request.set_reason(reason);
  v1::CancelRunResponse response;
  return WithSuggestion(FromGrpc(calls_->stub().Cancel(&context, request, &response)), name);
}

absl::Status RunsClient::Hold(const std::string& name,
                              const std::string& by,
                              const std::string& reason) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::HoldRunRequest request;
  request.set_name(name);
  request.set_by(by);
  request.set_reason(reason);
  v1::HoldRunResponse response;
  return WithSuggestion(FromGrpc(calls_->stub().Hold(&context, request, &response)), name);
}

absl::Status RunsClient::Release(const std::string& name) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ReleaseRunRequest request;
  request.set_name(name);
  v1::ReleaseRunResponse response;
  return WithSuggestion(FromGrpc(calls_->stub().Release(&context, request, &response)), name);
}

absl::Status RunsClient::Move(const v1::MoveRunRequest& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::MoveRunResponse response;
  return WithSuggestion(FromGrpc(calls_->stub().Move(&context, request, &response)),
                        request.name());
}

absl::StatusOr<v1::Run> RunsClient::Update(const v1::UpdateRunRequest& request) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::Run run;
  POTOK_RETURN_IF_ERROR(
      WithSuggestion(FromGrpc(calls_->stub().Update(&context, request, &run)), request.name()));
  return run;
}

absl::StatusOr<v1::Run> RunsClient::Archive(const std::string& name) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ArchiveRunRequest request;
  request.set_name(name);
  v1::Run run;
  POTOK_RETURN_IF_ERROR(
      WithSuggestion(FromGrpc(calls_->stub().Archive(&context, request, &run)), name));
  return run;
}

absl::StatusOr<v1::Run> RunsClient::Restore(const std::string& name) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::RestoreRunRequest request;
  request.set_name(name);
  v1::Run run;
  POTOK_RETURN_IF_ERROR(
      WithSuggestion(FromGrpc(calls_->stub().Restore(&context, request, &run)), name));
  return run;
}

absl::StatusOr<v1::LineageResponse> RunsClient::Lineage(const v1::LineageRequest& request,
                                                        absl::Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  v1::LineageResponse response;
  POTOK_RETURN_IF_ERROR(WithSuggestion(
      FromGrpc(calls_->stub().Lineage(&context, request, &response)), request.output().run()));
  return response;
}

absl::Status RunsClient::Watch(const v1::WatchRunRequest& request,
                               const std::function<void(const v1::WatchRunResponse&)>& changed,
                               const std::stop_token& stop) {
  return WithSuggestion(
      ReadAll<v1::WatchRunResponse>(
          [&](grpc::ClientContext* context) { return calls_->stub().Watch(context, request); },
          [&](const v1::WatchRunResponse& response) {
            changed(response);
            return !HasEnded(response.run().status());
          },
          stop),
      request.name());
}

absl::Status RunsClient::Logs(const v1::LogsRequest& request,
                              const std::function<void(const v1::LogsResponse&)>& arrived,
                              const std::stop_token& stop) {
  return ReadAll<v1::LogsResponse>(
      [&](grpc::ClientContext* context) { return calls_->stub().Logs(context, request); },
      [&](const v1::LogsResponse& response) {
        arrived(response);
        return true;
      },
      stop);
}

}  // namespace potok::client
