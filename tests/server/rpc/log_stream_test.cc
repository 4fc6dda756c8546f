// Logs as agents bring them and callers read them, through gRPC, over a real log store.
#include "server/rpc/log_stream.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <thread>

#include "common/rpc/pipeline_convert.h"
#include "common/runtime/real_clock.h"
#include "potok/v1/runs.grpc.pb.h"
#include "server/rpc/agents_service.h"
#include "tests/server/logs/log_folder.h"
#include "tests/server/store/changes.h"
#include "tests/support/fake_store.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RunsWithLogs final : public v1::Runs::CallbackService {
 public:
  RunsWithLogs(const LogStreamContext& context, const std::atomic<std::int64_t>& revision)
      : context_(context), revision_(revision) {}
  grpc::ServerWriteReactor<v1::LogsResponse>* Logs(grpc::CallbackServerContext*,
                                                   const v1::LogsRequest* request) override {
    return LogStream::Start(*request, context_, revision_);
  }

 private:
  const LogStreamContext context_;
  const std::atomic<std::int64_t>& revision_;
};

// A reader on a thread of its own: what it was sent, by step and attempt.
class Follower {
 public:
  Follower(v1::Runs::Stub& stub, const v1::LogsRequest& request)
      : reader_(stub.Logs(&context_, request)), thread_([this] { Read(); }) {}
  ~Follower() {
    context_.TryCancel();
    if (thread_.joinable()) thread_.join();
  }

  // Waits until it has these bytes of the log; false after a time that only a lost byte reaches.
  bool Await(const std::string& log, const std::string& bytes) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return logs_[log] == bytes || ended_;
    }) && logs_[log] == bytes;
  }
  // Its end, and all that it was sent.
  grpc::Status End(std::map<std::string, std::string>* logs = nullptr) {
    thread_.join();
    if (logs != nullptr) *logs = logs_;
    return reader_->Finish();
  }
  std::vector<std::string> found() {
    const std::lock_guard lock(mutex_);
    return found_;
  }
  const std::vector<v1::LogTime>& times() const { return times_; }

 private:
  void Read() {
    v1::LogsResponse response;
    while (reader_->Read(&response)) {
      const std::lock_guard lock(mutex_);
      std::string& log = logs_[response.step() + "." + std::to_string(response.attempt())];
      log += response.data();
      for (const v1::LogLine& line : response.lines()) {
        found_.push_back(response.step() + ":" + std::to_string(line.number()) + ":" + line.text());
      }
      if (response.has_matches()) {
        found_.push_back(response.step() + "=" + std::to_string(response.matches()));
      }
      for (const v1::LogTime& time : response.times()) times_.push_back(time);
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LogsResponse>> reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> logs_;
  std::vector<std::string> found_;
  std::vector<v1::LogTime> times_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

class LogStreamTest : public testing::Test {
 protected:
  LogStreamTest() {
    PipelineSpec spec;
    for (const char* name : {"prepare", "fit_1", "fit_2"}) {
      spec.steps.emplace_back();
      spec.steps.back().name = name;
    }
    RunAdded run = ARun(1);
    const std::string bytes = ToProto(spec).SerializeAsString();
    run.spec = DigestOf(bytes);
    EXPECT_TRUE(bundle_.reader->PutSpec(run.spec, bytes).ok());
    Turn({run});
    grpc::ServerBuilder builder;
    builder.RegisterService(&runs_);
    builder.RegisterService(&agents_);
    server_ = builder.BuildAndStart();
    stub_ = v1::Runs::NewStub(server_->InProcessChannel({}));
    agent_ = v1::Agents::NewStub(server_->InProcessChannel({}));
  }
  ~LogStreamTest() override {
    hub_.EndAll(absl::UnavailableError("the end of the test"));
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    readers_.Stop();
    hub_.Close();
  }

  void Turn(std::vector<Change> changes) {
    Batch batch = {revision_ + 1, "us", std::move(changes)};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    ++revision_;
    bundle_.projector->Project(batch);
    hub_.Committed(batch);
  }
  void Runs(std::uint32_t step, std::uint32_t attempt) {
    Turn({Move(1, step, attempt, Running{On(1)}, 10)});
  }
  void Succeeds(std::uint32_t step, std::uint32_t attempt) {
    Turn({Move(1, step, attempt, Succeeded{1, {}}, 20)});
  }

  // As an agent: what is appended, and whether that is all.
  grpc::Status Append(std::uint32_t step,
                      std::uint32_t attempt,
                      std::int64_t offset,
                      const std::string& data,
                      bool final = false) {
    grpc::ClientContext context;
    const auto stream = agent_->AppendLog(&context);
    v1::AppendLogRequest request;
    request.mutable_id()->set_run(1);
    request.mutable_id()->set_index(step);
    request.mutable_id()->set_attempt(attempt);
    request.set_offset(offset);
    request.set_data(data);
    request.set_final(final);
    stream->Write(request);
    v1::AppendLogResponse response;
    stream->Read(&response);
    stream->WritesDone();
    return stream->Finish();
  }

  static v1::LogsRequest Request(const std::vector<std::string>& steps, bool follow) {
    v1::LogsRequest request;
    request.set_name("run-1");
    for (const std::string& step : steps) request.add_steps(step);
    request.set_follow(follow);
    return request;
  }
  // All that a call answers without follow, in one.
  std::string Read(const v1::LogsRequest& request) {
    std::map<std::string, std::string> logs;
    const grpc::Status status = Follower(*stub_, request).End(&logs);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::string all;
    for (const auto& [name, log] : logs) all += log;
    return all;
  }
  grpc::Status StatusOf(const v1::LogsRequest& request) { return Follower(*stub_, request).End(); }

  FakeDatabase database_;
  StoreBundle bundle_ = database_.Open();
  LogFolder folder_;
  std::unique_ptr<LogStore> logs_ = *LogStore::Open(folder_.path());
  std::atomic<std::int64_t> revision_ = 0;
  Replies replies_;
  WatchHub hub_{*bundle_.projector, 2};
  const StepTokens tokens_{"secret"};
  const StepTracking tracking_{tokens_};
  TrialMetrics trials_;
  Switchboard switchboard_{replies_, hub_, *logs_, tracking_, trials_};
  const RealClock clock_;
  prometheus::Registry registry_;
  SchedulerMetrics metrics_{registry_};
  Scheduler scheduler_{*bundle_.store, *bundle_.projector, switchboard_, clock_, metrics_, {}};
  RunView view_{*bundle_.reader, *logs_, switchboard_, scheduler_, {}};
  WorkerPool readers_{"logs", 4};
  RunsWithLogs runs_{LogStreamContext{view_, hub_, *logs_, *bundle_.projector, readers_},
                     revision_};
  ExecCalls execs_{{view_, *bundle_.projector, scheduler_, switchboard_, readers_}};
  AgentsService agents_{switchboard_, *logs_, execs_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Runs::Stub> stub_;
  std::unique_ptr<v1::Agents::Stub> agent_;
};

TEST_F(LogStreamTest, FollowsAttemptsAndStepsThatBeginLater) {
  Runs(0, 1);
  Append(0, 1, 0, "one\n");
  Follower follower(*stub_, Request({"*"}, true));
  ASSERT_TRUE(follower.Await("prepare.1", "one\n"));
  Runs(0, 2);
  Append(0, 2, 0, "again\n");
  ASSERT_TRUE(follower.Await("prepare.2", "again\n"));
  Append(0, 2, 6, "done\n", true);
  Succeeds(0, 2);
  Runs(1, 1);
  Append(1, 1, 0, "fit\n", true);
  ASSERT_TRUE(follower.Await("fit_1.1", "fit\n"));
  Succeeds(1, 1);
  Turn({Move(1, 2, 0, Skipped{"not needed"}, 30)});
  std::map<std::string, std::string> logs;
  EXPECT_TRUE(follower.End(&logs).ok());
  EXPECT_EQ(logs.at("prepare.2"), "again\ndone\n");
  EXPECT_EQ(logs.size(), 3U);
}

TEST_F(LogStreamTest, ReadsStepsOneAfterTheOtherInTheOrderOfThePipeline) {
  for (std::uint32_t step : {2U, 0U, 1U}) {
    Runs(step, 1);
    Append(step, 1, 0, "step " + std::to_string(step) + "\n", true);
    Succeeds(step, 1);
  }
  EXPECT_EQ(Read(Request({"fit_?"}, false)), "step 1\nstep 2\n");
  EXPECT_EQ(Read(Request({"fit_2", "fit_2"}, false)), "step 2\n");
  EXPECT_EQ(Read(Request({"prepare"}, true)), "step 0\n");
  const grpc::Status unknown = StatusOf(Request({"fit*", "gone*"}, false));
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(unknown.error_message(), HasSubstr("'gone*'; it has prepare, fit_1, fit_2"));
}

TEST_F(LogStreamTest, GivesEveryByteToEachOfManyFollowers) {
  Runs(0, 1);
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 64; ++i) {
    followers.push_back(std::make_unique<Follower>(*stub_, Request({"prepare"}, true)));
  }
  std::string log;
  for (int i = 0; i < 200; ++i) {
    const std::string line =
        "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i), 'x') + "\n";
    ASSERT_TRUE(Append(0, 1, static_cast<std::int64_t>(log.size()), line, i == 199).ok());
    log += line;
  }
  Succeeds(0, 1);
  for (const auto& follower : followers) {
    std::map<std::string, std::string> logs;
    EXPECT_TRUE(follower->End(&logs).ok());
    EXPECT_EQ(logs["prepare.1"], log);
  }
}

// One that reads nothing costs the server one piece, and does not keep the agent or others waiting.
TEST_F(LogStreamTest, DoesNotWaitForASlowReader) {
  Runs(0, 1);
  grpc::ClientContext context;
  const auto slow = stub_->Logs(&context, Request({"prepare"}, true));
  Follower quick(*stub_, Request({"prepare"}, true));
  const std::string piece = NumberedLines(50'000);
  std::string log;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Append(0, 1, static_cast<std::int64_t>(log.size()), piece, i == 19).ok());
    log += piece;
  }
  Succeeds(0, 1);
  std::map<std::string, std::string> logs;
  EXPECT_TRUE(quick.End(&logs).ok());
  EXPECT_EQ(logs["prepare.1"], log);
  std::string late;
  v1::LogsResponse response;
  while (slow->Read(&response)) late += response.data();
  EXPECT_TRUE(slow->Finish().ok());
  EXPECT_EQ(late, log);
}

TEST_F(LogStreamTest, ResumesEachLogWhereItWasRead) {
  Runs(0, 1);
  Append(0, 1, 0, "one\ntwo\n", true);
  Runs(0, 2);
  Append(0, 2, 0, "three\n", true);
  Succeeds(0, 2);
  v1::LogsRequest request = Request({"prepare"}, true);
  request.set_tail_lines(1);
  v1::LogPosition& position = *request.add_resume_at();
  position.set_step("prepare");
  position.set_attempt(1);
  position.set_offset(4);
  EXPECT_EQ(Read(request), "two\nthree\n");
  position.set_step("fit_1");
  EXPECT_THAT(StatusOf(request).error_message(), HasSubstr("'fit_1', which is not among those"));
}

// A follower that wants the last lines of what there is misses nothing of what begins later.
TEST_F(LogStreamTest, ShowsAllOfWhatBeginsAfterATail) {
  Runs(0, 1);
  Append(0, 1, 0, "one\ntwo\n");
  v1::LogsRequest request = Request({"*"}, true);
  request.set_tail_lines(1);
  Follower follower(*stub_, request);
  ASSERT_TRUE(follower.Await("prepare.1", "two\n"));
  Append(1, 1, 0, "many\nlines\n");
  Runs(1, 1);
  EXPECT_TRUE(follower.Await("fit_1.1", "many\nlines\n"));
}

TEST_F(LogStreamTest, SearchesWhileTheLogGrows) {
  Runs(0, 1);
  v1::LogsRequest request = Request({"*"}, true);
  request.mutable_search()->set_pattern("e.ror|last");
  Follower follower(*stub_, request);
  Append(0, 1, 0, "fine\nerror 1\nfine\ner");
  const auto found = [&] { return follower.found(); };
  while (found().empty()) std::this_thread::yield();
  EXPECT_THAT(found(), ElementsAre("prepare:2:error 1"));
  Append(0, 1, 20, "ror 2\nthe last", true);
  Succeeds(0, 1);
  Turn({Move(1, 1, 0, Skipped{"no"}, 30), Move(1, 2, 0, Skipped{"no"}, 30)});
  EXPECT_TRUE(follower.End().ok());
  EXPECT_THAT(found(), ElementsAre("prepare:2:error 1", "prepare:4:error 2", "prepare:5:the last"));
  request.mutable_search()->set_count_only(true);
  request.set_follow(false);
  Follower counter(*stub_, request);
  EXPECT_TRUE(counter.End().ok());
  EXPECT_THAT(counter.found(), ElementsAre("prepare=3"));
}

TEST_F(LogStreamTest, SaysWhenItsBytesArrived) {
  Runs(0, 1);
  const std::int64_t before = absl::ToUnixMicros(absl::Now());
  Append(0, 1, 0, "one\n", true);
  Succeeds(0, 1);
  v1::LogsRequest request = Request({"prepare"}, false);
  request.set_with_times(true);
  Follower follower(*stub_, request);
  EXPECT_TRUE(follower.End().ok());
  ASSERT_EQ(follower.times().size(), 1U);
  // The time of a file has the grain of the kernel's clock.
  EXPECT_GE(follower.times()[0].time_us(), before - 20'000);
  EXPECT_LE(follower.times()[0].time_us(), absl::ToUnixMicros(absl::Now()));
}

TEST_F(LogStreamTest, RefusesWhatMakesNoSenseAndSaysWhy) {
  const auto refusal = [&](const std::function<void(v1::LogsRequest&)>& change) {
    v1::LogsRequest request = Request({"*"}, false);
    change(request);
    const grpc::Status status = StatusOf(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  EXPECT_THAT(refusal([](auto& request) {
                request.set_tail_lines(1);
                request.set_since_us(1);
              }),
              HasSubstr("tail_lines and since_us"));
  EXPECT_THAT(refusal([](auto& request) {
                request.set_follow(true);
                request.set_to_line(1);
              }),
              HasSubstr("to_line cannot be given"));
  EXPECT_THAT(refusal([](auto& request) { request.set_from_line(-1); }),
              HasSubstr("from_line is -1"));
  EXPECT_THAT(refusal([](auto& request) { request.mutable_search()->set_pattern("a[b"); }),
              HasSubstr("at character 2: missing ]"));
  EXPECT_THAT(refusal([](auto& request) { request.clear_steps(); }),
              HasSubstr("say which one: prepare, fit_1, fit_2"));
}

}  // namespace
}  // namespace potok::server
