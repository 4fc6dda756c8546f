// A ShimExecutor on a folder of its own, and what tests ask of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "agent/executor/shim_executor.h"

namespace potok::agent {

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Waits for a condition that another process makes true. False after 20 s.
template <class Condition>
bool Eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

// True if a process with this number exists and is not a zombie.
bool IsAlive(pid_t pid);

// The number in a file that a command writes; waits until it is there.
pid_t PidIn(const std::string& path);

class ExecutorFixture : public testing::Test {
 protected:
  ExecutorFixture();
  ~ExecutorFixture() override;

  // `isolation` as in ShimExecutorOptions.
  void Open(const std::string& isolation);

  // A launch of `sh -c script` with an empty folder of its own.
  Launch Shell(std::uint32_t index, const std::string& script);
  Launch Command(std::uint32_t index, std::vector<std::string> argv);

  // Waits for the attempt's end; events of others are kept.
  Ended WaitForEnd(const AttemptKey& key);
  // Waits until the attempt is told to be started. False if it ends before.
  bool WaitForStart(const AttemptKey& key);
  Ended Run(const Launch& launch);
  // Starts a step that is ready when it has made FOLDER/ready.
  void StartUntilReady(const Launch& launch);

  std::string Log(const Launch& launch) const { return ReadFile(launch.folder + "/log"); }
  const std::string& root() const { return root_; }

  ShimExecutorOptions options_;
  std::unique_ptr<ShimExecutor> executor_;
  std::vector<ProcessEvent> seen_;

 private:
  void TakeMore();

  std::string root_;
};

// Each test runs without cgroups and with the best that works on this machine.
class EachIsolationTest : public ExecutorFixture, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { Open(GetParam()); }
};

inline std::string NameOfIsolation(const testing::TestParamInfo<const char*>& isolation) {
  return std::string(isolation.param).empty() ? "Best" : "None";
}

}  // namespace potok::agent
