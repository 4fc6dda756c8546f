// The runs of a server. Thread-safe; every call blocks. Statuses are those of runs.proto.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "potok/v1/runs.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class RunsClient {
 public:
  explicit RunsClient(const std::shared_ptr<grpc::Channel>& channel);
  ~RunsClient();
  RunsClient(RunsClient&&) noexcept;

  // Stores and starts a run. Tries again, with the same request id, while the server is not there
  // or busy, up to `patience`: it is the same run however often the answer was lost.
  // It starts once all of `after` have ended.
  absl::StatusOr<v1::CreateRunResponse> Create(const v1::PipelineSpec& spec,
                                               const std::string& submitter,
                                               const std::vector<v1::RunDependency>& after = {},
                                               absl::Duration patience = absl::Seconds(30));

  absl::StatusOr<v1::Run> Get(const std::string& name,
                              bool without_spec,
                              absl::Duration timeout = absl::Seconds(60));

  // Up to `results_max` runs over as many pages as that needs. `filter` without its page.
  absl::StatusOr<std::vector<v1::Run>> List(const v1::ListRunsRequest& filter,
                                            std::size_t results_max,
                                            absl::Duration page_timeout = absl::Seconds(60));

  // Why each step, or each of `steps` (names or patterns), ran or was reused.
  absl::StatusOr<v1::ExplainResponse> Explain(const std::string& name,
                                              const std::vector<std::string>& steps);
  // What would run, were it submitted now. No time limit: the server may have data to fetch first.
  absl::StatusOr<v1::ExplainResponse> Foresee(const v1::PipelineSpec& spec);

  absl::Status Cancel(const std::string& name, const std::string& reason);
  absl::Status Hold(const std::string& name, const std::string& by, const std::string& reason);
  absl::Status Release(const std::string& name);
  absl::Status Move(const v1::MoveRunRequest& request);

  // The run as it then is, without its steps.
  absl::StatusOr<v1::Run> Update(const v1::UpdateRunRequest& request);
  absl::StatusOr<v1::Run> Archive(const std::string& name);
  absl::StatusOr<v1::Run> Restore(const std::string& name);

  // One page. The first question after many runs may take a while.
  absl::StatusOr<v1::LineageResponse> Lineage(const v1::LineageRequest& request,
                                              absl::Duration timeout = absl::Minutes(10));

  // One stream, until the run has ended (OK), the stream is cut, or `stop` is requested
  // (CANCELLED). The message that says that the run has ended is the last.
  absl::Status Watch(const v1::WatchRunRequest& request,
                     const std::function<void(const v1::WatchRunResponse&)>& changed,
                     const std::stop_token& stop);

  absl::Status Logs(const v1::LogsRequest& request,
                    const std::function<void(const v1::LogsResponse&)>& arrived,
                    const std::stop_token& stop);

 private:
  absl::Status WithSuggestion(absl::Status status, const std::string& name);

  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
