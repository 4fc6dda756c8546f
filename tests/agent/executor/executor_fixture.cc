#include "tests/agent/executor/executor_fixture.h"

#include <algorithm>
#include <cstdlib>

namespace potok::agent {

bool IsAlive(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X';
}

pid_t PidIn(const std::string& path) {
  std::string text;
  EXPECT_TRUE(Eventually([&] {
    text = ReadFile(path);
    return !text.empty() && text.back() == '\n';
  })) << path;
  return std::atoi(text.c_str());
}

ExecutorFixture::ExecutorFixture() {
  std::string path = testing::TempDir() + "potok-executor-XXXXXX";
  root_ = mkdtemp(path.data());
  options_.shim_path = POTOK_SHIM;
  options_.state_folder = root_ + "/state";
}

ExecutorFixture::~ExecutorFixture() {
  executor_.reset();
  std::filesystem::remove_all(root_);
}

void ExecutorFixture::Open(const std::string& isolation) {
  options_.isolation = isolation;
  executor_.reset();
  auto opened = ShimExecutor::Open(options_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  executor_ = *std::move(opened);
}

Launch ExecutorFixture::Command(std::uint32_t index, std::vector<std::string> argv) {
  Launch launch;
  launch.key = {1, index, 1};
  launch.folder = root_ + "/" + ToString(launch.key);
  std::filesystem::create_directories(launch.folder);
  launch.working_directory = launch.folder;
  launch.argv = std::move(argv);
  launch.environment = {{"PATH", "/usr/bin:/bin"}};
  launch.timeout = absl::InfiniteDuration();
  launch.grace = absl::Seconds(30);
  return launch;
}

Launch ExecutorFixture::Shell(std::uint32_t index, const std::string& script) {
  return Command(index, {"/bin/sh", "-c", script});
}

void ExecutorFixture::TakeMore() {
  pollfd waited = {executor_->events(), POLLIN, 0};
  ASSERT_GT(poll(&waited, 1, 30'000), 0) << "no event within 30 s";
  for (ProcessEvent& event : executor_->TakeEvents()) seen_.push_back(std::move(event));
}

Ended ExecutorFixture::WaitForEnd(const AttemptKey& key) {
  while (!HasFatalFailure()) {
    for (const ProcessEvent& event : seen_) {
      if (event.key == key && event.ended.has_value()) return *event.ended;
    }
    TakeMore();
  }
  return {};
}

bool ExecutorFixture::WaitForStart(const AttemptKey& key) {
  while (!HasFatalFailure()) {
    for (const ProcessEvent& event : seen_) {
      if (event.key == key) return !event.ended.has_value();
    }
    TakeMore();
  }
  return false;
}

Ended ExecutorFixture::Run(const Launch& launch) {
  const absl::Status started = executor_->Start(launch);
  EXPECT_TRUE(started.ok()) << started;
  return started.ok() ? WaitForEnd(launch.key) : Ended{};
}

void ExecutorFixture::StartUntilReady(const Launch& launch) {
  const absl::Status started = executor_->Start(launch);
  ASSERT_TRUE(started.ok()) << started;
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(launch.folder + "/ready"); }));
}

}  // namespace potok::agent
