// A server on a unix socket that says what a test tells it to.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "potok/v1/machines.grpc.pb.h"
#include "potok/v1/runs.grpc.pb.h"

namespace potok::client {

// One answer to Watch: its messages, then the end of the stream.
struct WatchSession {
  std::vector<v1::WatchRunResponse> messages;
  grpc::Status end;
  bool hangs = false;  // does not end until the caller does
};

class FakeRuns final : public v1::Runs::Service {
 public:
  grpc::Status Create(grpc::ServerContext* /*context*/,
                      grpc::ServerReader<v1::CreateRunRequest>* reader,
                      v1::CreateRunResponse* response) override {
    std::string bytes;
    v1::CreateRunRequest request;
    bool first = true;
    const std::lock_guard<std::mutex> lock(mutex);
    while (reader->Read(&request)) {
      if (first) request_ids.push_back(request.request_id());
      first = false;
      bytes += request.spec_chunk();
    }
    if (creates_that_fail-- > 0) return {grpc::StatusCode::UNAVAILABLE, "starting"};
    created.ParseFromString(bytes);
    if (!create_status.ok()) return create_status;
    response->set_name("brave_river");
    return grpc::Status::OK;
  }

  grpc::Status Get(grpc::ServerContext* /*context*/,
                   const v1::GetRunRequest* request,
                   v1::Run* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = runs.find(request->name());
    if (found == runs.end()) return {grpc::StatusCode::NOT_FOUND, "no run " + request->name()};
    *response = found->second;
    return grpc::Status::OK;
  }

  grpc::Status List(grpc::ServerContext* /*context*/,
                    const v1::ListRunsRequest* request,
                    v1::ListRunsResponse* response) override {
    const std::lock_guard<std::mutex> lock(mutex);
    list_requests.push_back(*request);
    std::size_t at = request->page_token().empty() ? 0 : std::stoul(request->page_token());
    for (int i = 0; i < std::min(request->page_size(), page_max) && at < listed.size(); ++i) {
      *response->add_runs() = listed[at++];
    }
    if (at < listed.size()) response->set_next_page_token(std::to_string(at));
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext* context,
                     const v1::WatchRunRequest* request,
                     grpc::ServerWriter<v1::WatchRunResponse>* writer) override {
    WatchSession session;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      watched_after.push_back(request->after_revision());
      if (watched_after.size() > sessions.size()) {
        return {grpc::StatusCode::NOT_FOUND, "no run " + request->name()};
      }
      session = sessions[watched_after.size() - 1];
    }
    for (const v1::WatchRunResponse& message : session.messages) writer->Write(message);
    watching = true;
    while (session.hangs && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return session.end;
  }

  grpc::Status Cancel(grpc::ServerContext* /*context*/,
                      const v1::CancelRunRequest* request,
                      v1::CancelRunResponse* /*response*/) override {
    const std::lock_guard<std::mutex> lock(mutex);
    canceled.push_back(request->name());
    return grpc::Status::OK;
  }

  grpc::Status Logs(grpc::ServerContext* /*context*/,
                    const v1::LogsRequest* request,
                    grpc::ServerWriter<v1::LogsResponse>* writer) override {
    std::vector<std::string> steps = {request->step()};
    {
      const std::lock_guard<std::mutex> lock(mutex);
      logs_requests.push_back(*request);
      if (logs_answers.contains(logs_requests.size())) {
        const auto& [answers, end] = logs_answers[logs_requests.size()];
        for (const v1::LogsResponse& answer : answers) writer->Write(answer);
        return end;
      }
      if (request->steps_size() > 0) steps.clear();
      if (request->steps_size() > 0) {
        for (const auto& [step, log] : logs) steps.push_back(step);
      }
    }
    for (const std::string& step : steps) WriteLog(step, *request, writer);
    return grpc::Status::OK;
  }

  void WriteLog(const std::string& step,
                const v1::LogsRequest& request,
                grpc::ServerWriter<v1::LogsResponse>* writer) {
    std::string log;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      log = logs[step];
    }
    const auto size = static_cast<std::int64_t>(log.size());
    std::int64_t at = request.offset() < 0 ? std::max<std::int64_t>(size + request.offset(), 0)
                                           : request.offset();
    if (request.tail_lines() > 0) {
      auto begin = log.size();
      for (auto left = request.tail_lines(); left > 0 && begin != 0; --left) {
        const auto end = begin < 2 ? std::string::npos : log.rfind('\n', begin - 2);
        begin = end == std::string::npos ? 0 : end + 1;
      }
      at = static_cast<std::int64_t>(begin);
    }
    // In small pieces, so that lines arrive in parts.
    for (; at < size; at += 7) {
      v1::LogsResponse part;
      part.set_offset(at);
      part.set_data(log.substr(static_cast<std::size_t>(at), 7));
      part.set_attempt(1);
      part.set_step(step);
      writer->Write(part);
    }
  }

  std::mutex mutex;
  int creates_that_fail = 0;
  grpc::Status create_status;
  int page_max = 1000;
  std::map<std::string, v1::Run> runs;
  std::vector<v1::Run> listed;
  std::vector<WatchSession> sessions;
  std::map<std::string, std::string> logs;
  // To the n-th call of Logs, from 1: these, and then the end.
  std::map<std::size_t, std::pair<std::vector<v1::LogsResponse>, grpc::Status>> logs_answers;
  // What was asked.
  std::vector<std::string> request_ids;
  v1::PipelineSpec created;
  std::vector<v1::ListRunsRequest> list_requests;
  std::vector<std::int64_t> watched_after;
  std::vector<std::string> canceled;
  std::vector<v1::LogsRequest> logs_requests;
  std::atomic<bool> watching{false};
};

class FakeMachines final : public v1::Machines::Service {
 public:
  grpc::Status List(grpc::ServerContext* /*context*/,
                    const v1::ListMachinesRequest* /*request*/,
                    v1::ListMachinesResponse* response) override {
    for (const v1::Machine& machine : machines) *response->add_machines() = machine;
    return grpc::Status::OK;
  }
  std::vector<v1::Machine> machines;
};

class FakeServer {
 public:
  FakeServer() {
    char folder[] = "/tmp/potok-cli-XXXXXX";
    folder_ = mkdtemp(folder);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
    builder.RegisterService(&runs);
    builder.RegisterService(&machines);
    server_ = builder.BuildAndStart();
  }
  ~FakeServer() {
    server_->Shutdown();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string address() const { return "unix:" + folder_ + "/server.sock"; }
  const std::string& folder() const { return folder_; }

  FakeRuns runs;
  FakeMachines machines;

 private:
  std::string folder_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace potok::client
