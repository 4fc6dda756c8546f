// The Runs service. All but Watch, Logs and Exec block (sync handlers); those wait (callback
// handlers).
#pragma once

#include <grpcpp/server_context.h>

#include "potok/v1/runs.grpc.pb.h"
#include "server/rpc/exec_calls.h"
#include "server/rpc/explanations.h"
#include "server/rpc/log_stream.h"
#include "server/rpc/replies.h"
#include "server/rpc/run_view.h"
#include "server/rpc/submission.h"

namespace potok::server {

class RunsService final
    : public v1::Runs::WithCallbackMethod_Watch<
          v1::Runs::WithCallbackMethod_Logs<v1::Runs::WithCallbackMethod_Exec<v1::Runs::Service>>> {
 public:
  // All references outlive the service.
  RunsService(Submission& submission,
              Scheduler& scheduler,
              Replies& replies,
              Explanations& explanations,
              ExecCalls& execs,
              const LogStreamContext& streams)
      : submission_(submission),
        scheduler_(scheduler),
        replies_(replies),
        explanations_(explanations),
        execs_(execs),
        streams_(streams) {}

  grpc::Status Create(grpc::ServerContext* context,
                      grpc::ServerReader<v1::CreateRunRequest>* reader,
                      v1::CreateRunResponse* response) override;
  grpc::Status Submit(grpc::ServerContext* context,
                      const v1::SubmitRunRequest* request,
                      v1::CreateRunResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetRunRequest* request,
                   v1::Run* response) override;
  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListRunsRequest* request,
                    v1::ListRunsResponse* response) override;
  grpc::Status Explain(grpc::ServerContext* context,
                       const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override;
  grpc::Status Foresee(grpc::ServerContext* context,
                       const v1::ForeseeRequest* request,
                       v1::ExplainResponse* response) override;
  grpc::Status Cancel(grpc::ServerContext* context,
                      const v1::CancelRunRequest* request,
                      v1::CancelRunResponse* response) override;
  grpc::Status Hold(grpc::ServerContext* context,
                    const v1::HoldRunRequest* request,
                    v1::HoldRunResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context,
                       const v1::ReleaseRunRequest* request,
                       v1::ReleaseRunResponse* response) override;
  grpc::Status Move(grpc::ServerContext* context,
                    const v1::MoveRunRequest* request,
                    v1::MoveRunResponse* response) override;
  grpc::Status Update(grpc::ServerContext* context,
                      const v1::UpdateRunRequest* request,
                      v1::Run* response) override;
  grpc::Status Archive(grpc::ServerContext* context,
                       const v1::ArchiveRunRequest* request,
                       v1::Run* response) override;
  grpc::Status Restore(grpc::ServerContext* context,
                       const v1::RestoreRunRequest* request,
                       v1::Run* response) override;
  grpc::Status Lineage(grpc::ServerContext* context,
                       const v1::LineageRequest* request,
                       v1::LineageResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchRunResponse>* Watch(
      grpc::CallbackServerContext* context, const v1::WatchRunRequest* request) override;
  grpc::ServerWriteReactor<v1::LogsResponse>* Logs(grpc::CallbackServerContext* context,
                                                   const v1::LogsRequest* request) override;
  grpc::ServerBidiReactor<v1::ExecRequest, v1::ExecResponse>* Exec(
      grpc::CallbackServerContext* context) override;

 private:
  absl::Status ShowEverything();
  // Hands the scheduler what is to be done to a run that goes on, and waits for its answer.
  // NOT_FOUND for a run that does not.
  absl::Status Order(const std::function<Event(ReplyToken)>& event);
  // What is said of a run that does not go on: FAILED_PRECONDITION if it has ended, else NOT_FOUND.
  absl::Status WhyNotLive(const std::string& name, const char* verb);
  grpc::Status Edit(const std::string& name,
                    const std::function<absl::Status(RunRow&)>& edit,
                    v1::Run* response);

  Submission& submission_;
  Scheduler& scheduler_;
  Replies& replies_;
  Explanations& explanations_;
  ExecCalls& execs_;
  const LogStreamContext streams_;
};

}  // namespace potok::server
