#include "server/rpc/runs_service.h"

#include <google/protobuf/arena.h>

#include <cstdlib>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/rpc/convert.h"
#include "server/rpc/lineage.h"
#include "server/rpc/problem_details.h"
#include "server/rpc/run_edits.h"
#include "server/rpc/run_watch.h"

namespace potok::server {

namespace {

// 100,000 steps take about 30 MB; this leaves room for long commands.
constexpr std::size_t kSpecBytesMax = 256 << 20;
constexpr int kPageDefault = 50;
constexpr int kPageMax = 1000;
constexpr std::int32_t kPriorityMax = 1000;
constexpr absl::Duration kOrderWait = absl::Seconds(30);

// The serialised spec.
absl::StatusOr<std::string> ReadSpec(grpc::ServerReader<v1::CreateRunRequest>* reader,
                                     v1::CreateRunRequest* first) {
  std::string bytes;
  v1::CreateRunRequest request;
  bool any = false;
  while (reader->Read(&request)) {
    if (!any) {
      first->set_request_id(request.request_id());
      first->set_submitter(request.submitter());
      *first->mutable_after() = request.after();
    }
    any = true;
    bytes += request.spec_chunk();
    if (bytes.size() > kSpecBytesMax) {
      return absl::InvalidArgumentError(
          fmt::format("the pipeline is larger than {} MiB", kSpecBytesMax >> 20));
    }
  }
  if (!any) return absl::InvalidArgumentError("spec_chunk holds no PipelineSpec");
  return bytes;
}

// On an arena: a large pipeline is a million small messages.
absl::StatusOr<PipelineSpec> ParseSpec(const std::string& bytes) {
  google::protobuf::Arena arena;
  auto* message = google::protobuf::Arena::CreateMessage<v1::PipelineSpec>(&arena);
  if (!message->ParseFromString(bytes)) {
    return absl::InvalidArgumentError("spec_chunk holds no complete PipelineSpec");
  }
  return potok::FromProto(*message);
}

absl::StatusOr<RunFilter::Archived> ArchivedOf(v1::ArchivedRuns archived) {
  switch (archived) {
    case v1::ARCHIVED_RUNS_UNSPECIFIED:
      return RunFilter::Archived::kLeftOut;
    case v1::ARCHIVED_RUNS_INCLUDED:
      return RunFilter::Archived::kIncluded;
    case v1::ARCHIVED_RUNS_ONLY:
      return RunFilter::Archived::kOnly;
    default:
      return absl::InvalidArgumentError("`archived` is not a value that this server knows");
  }
}

absl::StatusOr<RunFilter> FilterOf(const v1::ListRunsRequest& request) {
  RunFilter filter;
  filter.limit = request.page_size() == 0 ? kPageDefault : request.page_size();
  if (filter.limit < 0 || filter.limit > kPageMax) {
    return absl::InvalidArgumentError(
        fmt::format("page_size is 1 to {}, not {}", kPageMax, request.page_size()));
  }
  for (const int status : request.status()) {
    const auto known = RunStatusesOf(static_cast<v1::Status>(status));
    if (known.empty()) {
      return absl::InvalidArgumentError(
          "runs are NotStarted, Running, CancelRequested, Completed, Failed or Canceled");
    }
    filter.status.insert(filter.status.end(), known.begin(), known.end());
  }
  filter.experiment_name = request.experiment_name();
  filter.name_prefix = request.name_prefix();
  filter.submitter = request.submitter();
  filter.created_after_us = request.created_after_us();
  filter.created_before_us = request.created_before_us();
  filter.text = request.text();
  POTOK_ASSIGN_OR_RETURN(filter.archived, ArchivedOf(request.archived()));
  filter.tags.insert(request.tags().begin(), request.tags().end());
  if (!request.page_token().empty()) {
    char* end = nullptr;
    filter.before_run = std::strtoll(request.page_token().c_str(), &end, 10);
    if (*end != '\0' || filter.before_run <= 0) {
      return absl::InvalidArgumentError("page_token is not one that this service gave");
    }
  }
  return filter;
}

template <class Request>
Submitter SubmitterOf(const Request& request) {
  return {request.submitter(), {request.after().begin(), request.after().end()}};
}

grpc::Status Told(const absl::StatusOr<Accepted>& accepted, v1::CreateRunResponse* response) {
  if (!accepted.ok()) return WithProblems(accepted.status());
  response->set_name(accepted->name);
  for (const std::string& warning : accepted->warnings) response->add_warnings(warning);
  return grpc::Status::OK;
}

}  // namespace

grpc::Status RunsService::Create(grpc::ServerContext* context,
                                 grpc::ServerReader<v1::CreateRunRequest>* reader,
                                 v1::CreateRunResponse* response) {
  v1::CreateRunRequest first;
  auto bytes = ReadSpec(reader, &first);
  if (!bytes.ok()) return ToGrpc(bytes.status());
  auto spec = ParseSpec(*bytes);
  if (!spec.ok()) return WithProblems(spec.status());
  const auto is_wanted = [context] { return !context->IsCancelled(); };
  return Told(
      submission_.Submit(
          *std::move(spec), *std::move(bytes), first.request_id(), SubmitterOf(first), is_wanted),
      response);
}

grpc::Status RunsService::Submit(grpc::ServerContext* context,
                                 const v1::SubmitRunRequest* request,
                                 v1::CreateRunResponse* response) {
  auto spec = potok::FromProto(request->spec());
  if (!spec.ok()) return WithProblems(spec.status());
  const auto is_wanted = [context] { return !context->IsCancelled(); };
  return Told(submission_.Submit(*std::move(spec),
                                 request->spec().SerializeAsString(),
                                 request->request_id(),
                                 SubmitterOf(*request),
                                 is_wanted),
              response);
}

// Everyone reads what anyone was told: the tables are waited for up to the newest stored revision.
absl::Status RunsService::ShowEverything() {
  const absl::Status shown =
      streams_.projector.WaitFor(scheduler_.committed_revision(), absl::Seconds(10), Haste::kNow);
  if (shown.ok()) return shown;
  return absl::UnavailableError("the tables are behind the journal; try again in a few seconds");
}

grpc::Status RunsService::Get(grpc::ServerContext* /*context*/,
                              const v1::GetRunRequest* request,
                              v1::Run* response) {
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  auto run = streams_.view.Get(request->name(), !request->without_spec(), 0);
  if (!run.ok()) return ToGrpc(run.status());
  *response = *std::move(run);
  return grpc::Status::OK;
}

grpc::Status RunsService::List(grpc::ServerContext* /*context*/,
                               const v1::ListRunsRequest* request,
                               v1::ListRunsResponse* response) {
  auto filter = FilterOf(*request);
  if (!filter.ok()) return ToGrpc(filter.status());
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  const int wanted = filter->limit++;  // one more tells whether there is a next page
  const auto rows = streams_.view.reader().ListRuns(*filter);
  if (!rows.ok()) return ToGrpc(rows.status());
  for (const RunRow& row : *rows) {
    if (response->runs_size() == wanted) {
      response->set_next_page_token(
          std::to_string((*rows)[static_cast<std::size_t>(wanted) - 1].added.id));
      break;
    }
    *response->add_runs() = ToProto(row);
  }
  std::vector<v1::Run*> runs;
  for (v1::Run& run : *response->mutable_runs()) runs.push_back(&run);
  streams_.view.AddOrder(runs);
  return grpc::Status::OK;
}

grpc::Status RunsService::Explain(grpc::ServerContext* /*context*/,
                                  const v1::ExplainRequest* request,
                                  v1::ExplainResponse* response) {
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  auto explained = explanations_.Explain(*request);
  if (!explained.ok()) return ToGrpc(explained.status());
  *response = *std::move(explained);
  return grpc::Status::OK;
}

grpc::Status RunsService::Foresee(grpc::ServerContext* context,
                                  const v1::ForeseeRequest* request,
                                  v1::ExplainResponse* response) {
  auto spec = potok::FromProto(request->spec());
  if (!spec.ok()) return WithProblems(spec.status());
  auto foreseen =
      explanations_.Foresee(*std::move(spec), [context] { return !context->IsCancelled(); });
  if (!foreseen.ok()) return WithProblems(foreseen.status());
  *response = *std::move(foreseen);
  return grpc::Status::OK;
}

grpc::Status RunsService::Cancel(grpc::ServerContext* /*context*/,
                                 const v1::CancelRunRequest* request,
                                 v1::CancelRunResponse* /*response*/) {
  const absl::Status status = Order([request](ReplyToken reply) {
    return CancelRequested{reply, request->name(), request->reason()};
  });
  if (!absl::IsNotFound(status)) return ToGrpc(status);
  // Not live: one that has ended stays as it is, which is what was asked for.
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  return ToGrpc(streams_.view.reader().GetRun(request->name()).status());
}

absl::Status RunsService::Order(const std::function<Event(ReplyToken)>& event) {
  Replies::Pending pending = replies_.Expect();
  if (!scheduler_.Post(event(pending.token))) {
    return absl::ResourceExhaustedError(
        "the server has too much to do; try again in a few seconds");
  }
  return replies_.Wait(std::move(pending), kOrderWait).status();
}

absl::Status RunsService::WhyNotLive(const std::string& name, const char* verb) {
  POTOK_RETURN_IF_ERROR(ShowEverything());
  POTOK_RETURN_IF_ERROR(streams_.view.reader().GetRun(name).status());
  return absl::FailedPreconditionError(fmt::format(
      "the run {0} cannot be {1}, because it has ended: potok job show -n {0}", name, verb));
}

grpc::Status RunsService::Hold(grpc::ServerContext* /*context*/,
                               const v1::HoldRunRequest* request,
                               v1::HoldRunResponse* /*response*/) {
  const absl::Status status = Order([request](ReplyToken reply) {
    return HoldRequested{reply, request->name(), request->by(), request->reason()};
  });
  return ToGrpc(absl::IsNotFound(status) ? WhyNotLive(request->name(), "held") : status);
}

grpc::Status RunsService::Release(grpc::ServerContext* /*context*/,
                                  const v1::ReleaseRunRequest* request,
                                  v1::ReleaseRunResponse* /*response*/) {
  const absl::Status status = Order([request](ReplyToken reply) {
    return ReleaseRequested{reply, request->name()};
  });
  return ToGrpc(absl::IsNotFound(status) ? WhyNotLive(request->name(), "released") : status);
}

grpc::Status RunsService::Move(grpc::ServerContext* /*context*/,
                               const v1::MoveRunRequest* request,
                               v1::MoveRunResponse* /*response*/) {
  if (!request->has_priority() && !request->has_compute()) {
    return ToGrpc(absl::InvalidArgumentError(
        fmt::format("nothing says where the run {} is to be moved; give a priority, a compute, or "
                    "both",
                    request->name())));
  }
  if (request->has_priority() && std::abs(request->priority()) > kPriorityMax) {
    return ToGrpc(absl::InvalidArgumentError(
        fmt::format("{} is no priority; give a whole number from -{} to {}",
                    request->priority(),
                    kPriorityMax,
                    kPriorityMax)));
  }
  const absl::Status status = Order([request](ReplyToken reply) {
    MoveRequested move{reply, request->name(), std::nullopt, std::nullopt};
    if (request->has_priority()) move.priority = request->priority();
    if (request->has_compute()) move.pool = ShapeOf(request->compute(), {}).pool;
    return move;
  });
  return ToGrpc(absl::IsNotFound(status) ? WhyNotLive(request->name(), "moved") : status);
}

grpc::Status RunsService::Edit(const std::string& name,
                               const std::function<absl::Status(RunRow&)>& edit,
                               v1::Run* response) {
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  Reader& reader = streams_.view.reader();
  const auto run = reader.GetRun(name);
  if (!run.ok()) return ToGrpc(run.status());
  const auto edited = reader.EditRun(run->added.id, edit);
  if (!edited.ok()) return ToGrpc(edited.status());
  *response = ToProto(*edited);
  return grpc::Status::OK;
}

grpc::Status RunsService::Update(grpc::ServerContext* /*context*/,
                                 const v1::UpdateRunRequest* request,
                                 v1::Run* response) {
  return Edit(
      request->name(), [request](RunRow& row) { return ApplyUpdate(*request, row); }, response);
}

grpc::Status RunsService::Archive(grpc::ServerContext* /*context*/,
                                  const v1::ArchiveRunRequest* request,
                                  v1::Run* response) {
  return Edit(
      request->name(), [](RunRow& row) { return SetArchived(true, row); }, response);
}

grpc::Status RunsService::Restore(grpc::ServerContext* /*context*/,
                                  const v1::RestoreRunRequest* request,
                                  v1::Run* response) {
  return Edit(
      request->name(), [](RunRow& row) { return SetArchived(false, row); }, response);
}

grpc::Status RunsService::Lineage(grpc::ServerContext* /*context*/,
                                  const v1::LineageRequest* request,
                                  v1::LineageResponse* response) {
  if (absl::Status shown = ShowEverything(); !shown.ok()) return ToGrpc(shown);
  server::Lineage lineage(streams_.view.reader(),
                          [this](const RunRow& row) { return streams_.view.PlanOf(row); });
  auto answer = lineage.Of(*request);
  if (!answer.ok()) return ToGrpc(answer.status());
  *response = *std::move(answer);
  return grpc::Status::OK;
}

grpc::ServerWriteReactor<v1::WatchRunResponse>* RunsService::Watch(
    grpc::CallbackServerContext* /*context*/, const v1::WatchRunRequest* request) {
  return RunWatch::Start(*request,
                         streams_.view,
                         streams_.hub,
                         streams_.projector,
                         streams_.readers,
                         scheduler_.committed_revision());
}

grpc::ServerWriteReactor<v1::LogsResponse>* RunsService::Logs(
    grpc::CallbackServerContext* /*context*/, const v1::LogsRequest* request) {
  return LogStream::Start(*request, streams_, scheduler_.committed_revision());
}

grpc::ServerBidiReactor<v1::ExecRequest, v1::ExecResponse>* RunsService::Exec(
    grpc::CallbackServerContext* /*context*/) {
  return execs_.Ask();
}

}  // namespace potok::server
