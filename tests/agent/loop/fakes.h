// The loop's ports without threads, processes and network, and an agent made of them over a real
// state folder.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/artifacts/step_folders.h"
#include "agent/link/wire.h"
#include "agent/loop/agent_loop.h"
#include "common/base/check.h"

namespace potok::agent {

class TempFolder {
 public:
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path() / "potok-XXXXXX";
    POTOK_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void WriteText(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class FakeExecutor final : public Executor {
 public:
  absl::Status Start(const Launch& launch) override {
    if (!refuse.ok()) return refuse;
    launches.push_back(launch);
    WriteText(launch.folder + "/state", "started");
    return absl::OkStatus();
  }
  void Stop(const AttemptKey& key, absl::Duration grace) override { stops[key] = grace; }
  absl::Status Adopt(const AttemptKey& key, const std::string&) override {
    adopted.push_back(key);
    return absl::OkStatus();
  }
  absl::StatusOr<ProcessPlace> PlaceOf(const AttemptKey& key) override {
    const auto place = places.find(key);
    if (place == places.end()) return absl::NotFoundError("no such attempt");
    return place->second;
  }
  void SetLeaseDeadline(absl::Duration boottime) override { deadline = boottime; }
  void Forget(const AttemptKey& key) override { forgotten.push_back(key); }
  int events() const override { return -1; }
  std::vector<UsageSoFar> Measure() override { return usage; }
  std::vector<ProcessEvent> TakeEvents() override { return std::exchange(news, {}); }
  std::string isolation() const override { return "none"; }

  void Started(const AttemptKey& key) { news.push_back({key, std::nullopt}); }
  void End(const AttemptKey& key, EndCause cause, int code = 0, std::int64_t log_bytes = 0) {
    Ended ended;
    ended.cause = cause;
    ended.code = code;
    ended.log_bytes = log_bytes;
    news.push_back({key, ended});
  }

  absl::Status refuse;
  std::vector<Launch> launches;
  std::map<AttemptKey, absl::Duration> stops;
  std::vector<AttemptKey> adopted;
  std::vector<AttemptKey> forgotten;
  std::map<AttemptKey, ProcessPlace> places;
  std::optional<absl::Duration> deadline;
  std::vector<ProcessEvent> news;
  std::vector<UsageSoFar> usage;
};

class FakeLink final : public Link {
 public:
  void Open(std::uint64_t number, const Hello& hello) override {
    session = number;
    hellos.push_back(hello);
  }
  void SendHeartbeat(std::uint64_t sequence, const std::vector<UsageSoFar>& said) override {
    heartbeats.push_back(sequence);
    usage.insert(usage.end(), said.begin(), said.end());
  }
  void SendReports(const std::vector<Report>& news) override {
    ++report_messages;
    reports.insert(reports.end(), news.begin(), news.end());
  }
  void SayGoodbye() override { said_goodbye = true; }

  std::uint64_t session = 0;
  std::vector<Hello> hellos;
  std::vector<std::uint64_t> heartbeats;
  std::vector<UsageSoFar> usage;
  std::vector<Report> reports;
  int report_messages = 0;
  bool said_goodbye = false;
};

class FakeTransfers final : public Transfers {
 public:
  void Stage(std::shared_ptr<const AttemptOrder> order, const AttemptPaths&) override {
    staging.push_back(order->key);
  }
  void Store(std::shared_ptr<const AttemptOrder> order, const AttemptPaths&) override {
    storing.push_back(order->key);
  }
  absl::Status MakeFolders(const AttemptOrder& order, const AttemptPaths& paths) override {
    return MakeStepFolders(order, paths);
  }
  bool HasDefaultArtifacts(const AttemptPaths& paths) override {
    return agent::HasDefaultArtifacts(paths);
  }
  void Cancel(const AttemptKey& key) override { canceled.push_back(key); }
  void Remove(const AttemptPaths& paths) override { std::filesystem::remove_all(paths.folder); }

  std::vector<AttemptKey> staging;
  std::vector<AttemptKey> storing;
  std::vector<AttemptKey> canceled;
};

class FakeLogs final : public LogSink {
 public:
  std::int64_t StoredBytes(std::int64_t file_bytes) const override { return file_bytes; }
  void Follow(const AttemptKey& key, const std::string&) override { followed.push_back(key); }
  void Finish(const AttemptKey& key, const std::string&, std::int64_t bytes) override {
    finished[key] = bytes;
  }
  void Drop(const AttemptKey& key) override { dropped.push_back(key); }

  std::vector<AttemptKey> followed;
  std::map<AttemptKey, std::int64_t> finished;
  std::vector<AttemptKey> dropped;
};

class FakeGpuMeter final : public GpuMeter {
 public:
  std::map<int, GpuReading> Read() const override { return readings; }

  std::map<int, GpuReading> readings;
};

inline Introduction AnIntroduction(bool allows_exec) {
  Introduction self;
  self.allows_exec = allows_exec;
  return self;
}

class FakeExecs final : public Execs {
 public:
  void Open(const ExecOrder& order, absl::StatusOr<ExecCommand> command) override {
    opened.emplace_back(order, std::move(command));
  }
  void EndOf(const AttemptKey& key) override { ended.push_back(key); }

  std::vector<std::pair<ExecOrder, absl::StatusOr<ExecCommand>>> opened;
  std::vector<AttemptKey> ended;
};

constexpr AttemptKey kKey{7, 3, 1};

inline Artifact AFolder(const std::string& content) {
  return {DigestOf(content), true, 10, ""};
}

// An order as it comes from the server: made from its wire form.
inline StartOrder AnOrder(const AttemptKey& key, v1::StartAttempt start) {
  if (start.command().empty()) start.set_command("/bin/true");
  start.set_run("calm_lake");
  start.set_step("train");
  absl::StatusOr<AttemptOrder> order = FromProto(key, start);
  POTOK_CHECK(order.ok());
  return {*std::move(order), start.SerializeAsString()};
}
inline StartOrder AnOrder(const AttemptKey& key = kKey) {
  return AnOrder(key, v1::StartAttempt());
}
inline StartOrder AnOrderWithInput(const AttemptKey& key = kKey) {
  v1::StartAttempt start;
  v1::AttemptInput& input = *start.add_inputs();
  input.set_name("data");
  input.set_type(v1::VALUE_TYPE_URI_FOLDER);
  input.mutable_artifact()->set_is_folder(true);
  input.mutable_artifact()->mutable_digest()->set_hash(DigestOf("x").Hex());
  input.mutable_artifact()->mutable_digest()->set_size_bytes(1);
  return AnOrder(key, start);
}
inline StartOrder AnOrderWithOutput(const AttemptKey& key = kKey) {
  v1::StartAttempt start;
  v1::Output& output = *start.add_outputs();
  output.set_name("model");
  output.set_type(v1::VALUE_TYPE_URI_FOLDER);
  return AnOrder(key, start);
}

// One life of the agent's process; another over the same folder is a restart.
struct FakeAgent {
  explicit FakeAgent(const std::string& state,
                     const std::string& boot = "boot-1",
                     OnStop on_stop = OnStop::kLeave,
                     bool allows_exec = true)
      : folders(*AttemptFolders::Open(state, boot)),
        attempts({executor, transfers, logs, *folders, runtimes, &gpus, &execs},
                 StepSurroundings(),
                 [](const std::string& program, const std::string&) { return program; }),
        loop({attempts, executor, link, &execs},
             AnIntroduction(allows_exec),
             {.on_stop = on_stop, .processors = 4}) {
    attempts.TakeUp();
  }

  absl::Duration Turn(std::vector<LoopEvent> events = {}) {
    return loop.Turn(now, std::move(events));
  }
  void Hear(ServerWord word) {
    std::vector<LoopEvent> events;
    events.emplace_back(LinkNews{link.session, {std::move(word)}});
    Turn(std::move(events));
  }
  void Happen(const AttemptKey& key, AttemptEvent event) {
    std::vector<LoopEvent> events;
    events.emplace_back(AttemptNews{key, std::move(event)});
    Turn(std::move(events));
  }
  // Connects, and is welcomed by a server that wants all live attempts.
  void Join(absl::Duration lease = absl::Minutes(10)) {
    Turn();
    Hear(Welcome{lease, absl::Seconds(5), link.hellos.back().live});
  }
  // Starts, and runs for long enough that it is said.
  void Start(const AttemptKey& key = kKey) {
    executor.Started(key);
    Turn();
    now += absl::Milliseconds(2);
    Turn();
  }
  void End(EndCause cause, int code = 0, std::int64_t log_bytes = 0) {
    executor.End(kKey, cause, code, log_bytes);
    Turn();
  }
  bool OnDisk(const AttemptKey& key = kKey) {
    return std::filesystem::exists(folders->PathsOf(key).folder);
  }
  std::string Path(const std::string& relative) {
    return folders->PathsOf(kKey).folder + "/" + relative;
  }

  absl::Duration now = absl::Seconds(1000);
  FakeExecutor executor;
  FakeLink link;
  FakeTransfers transfers;
  FakeLogs logs;
  FakeGpuMeter gpus;
  FakeExecs execs;
  std::unique_ptr<AttemptFolders> folders;
  Runtimes runtimes;
  AttemptTable attempts;
  AgentLoop loop;
};

}  // namespace potok::agent
