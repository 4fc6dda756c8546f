// Real commands by the real potok-enter.
#include "agent/exec/side_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace potok::agent {
namespace {

using ::testing::HasSubstr;

struct Told {
  std::string output;
  std::string errors;
  absl::StatusOr<SideEnd> end = absl::UnknownError("not ended");
};

ExecCommand ACommand(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .environment = {{"PATH", "/usr/bin:/bin"}}, .directory = "/tmp"};
}

std::unique_ptr<SideProcess> Begin(const ExecCommand& command, const ExecOrder& order = {}) {
  auto side = SideProcess::Start(POTOK_ENTER, order, command);
  EXPECT_TRUE(side.ok()) << side.status();
  return side.ok() ? *std::move(side) : nullptr;
}

// True if there was something.
bool Take(int from, std::string* text) {
  std::array<char, 4096> piece{};
  const ssize_t size = read(from, piece.data(), piece.size());
  if (size > 0) text->append(piece.data(), static_cast<std::size_t>(size));
  return size > 0;
}

// Until it has ended, or `enough` is in the output.
Told Listen(SideProcess& side, const std::string& enough = "") {
  Told told;
  for (bool ended = false;;) {
    std::array<pollfd, 3> ready{{{side.output(), POLLIN, 0},
                                 {side.error_output(), POLLIN, 0},
                                 {ended ? -1 : side.control(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), ended ? 0 : -1) == 0) return told;
    if (ready[0].revents != 0 && !Take(ready[0].fd, &told.output)) side.CloseOutput();
    if (ready[1].revents != 0 && !Take(ready[1].fd, &told.errors)) side.CloseErrorOutput();
    if (!enough.empty() && told.output.find(enough) != std::string::npos) return told;
    if (ready[2].revents == 0) continue;
    told.end = side.End();
    ended = true;
  }
}

TEST(SideProcessTest, TellsOutputErrorsAndExitCode) {
  const auto side = Begin(ACommand({"sh", "-c", "pwd; echo bad >&2; env; exit 7"}));
  const Told told = Listen(*side);
  ASSERT_TRUE(told.end.ok()) << told.end.status();
  EXPECT_EQ(told.end->exit_code, 7);
  EXPECT_EQ(told.end->signal, 0);
  EXPECT_THAT(told.output, HasSubstr("/tmp\n"));
  EXPECT_THAT(told.output, HasSubstr("PATH=/usr/bin:/bin\n"));
  // Nothing of this test's own environment.
  EXPECT_EQ(told.output.find("POTOK"), std::string::npos);
  EXPECT_EQ(told.output.find("HOME="), std::string::npos);
  EXPECT_EQ(told.errors, "bad\n");
}

TEST(SideProcessTest, ASignalIsTold) {
  const auto side = Begin(ACommand({"sh", "-c", "kill -9 $$"}));
  const Told told = Listen(*side);
  ASSERT_TRUE(told.end.ok());
  EXPECT_EQ(told.end->exit_code, 128 + SIGKILL);
  EXPECT_EQ(told.end->signal, SIGKILL);
}

TEST(SideProcessTest, SaysWhatKeptItFromStarting) {
  const struct {
    std::vector<std::string> argv;
    std::string directory;
    const char* said;
  } cases[] = {
      {{"no-such-program"}, "/", "no-such-program cannot be executed: No such file"},
      {{"/etc/passwd"}, "/", "/etc/passwd cannot be executed: Permission denied"},
      {{"true"}, "/no/such/folder", "/no/such/folder cannot be entered"},
  };
  for (const auto& one : cases) {
    ExecCommand command = ACommand(one.argv);
    command.directory = one.directory;
    const auto side = SideProcess::Start(POTOK_ENTER, {}, command);
    ASSERT_FALSE(side.ok());
    EXPECT_THAT(std::string(side.status().message()), HasSubstr(one.said));
  }
  ExecCommand outside = ACommand({"true"});
  outside.cgroups = {"/sys/no/such/cgroup.procs"};
  EXPECT_THAT(std::string(SideProcess::Start(POTOK_ENTER, {}, outside).status().message()),
              HasSubstr("/sys/no/such/cgroup.procs"));
  EXPECT_FALSE(SideProcess::Start("/no/potok-enter", {}, ACommand({"true"})).ok());
}

TEST(SideProcessTest, InputArrivesWholeAndEnds) {
  const auto side = Begin(ACommand({"wc", "-c"}));
  std::thread writer([&] {
    EXPECT_TRUE(side->WriteInput(std::string(1'000'000, 'x')));
    side->EndInput();
  });
  const Told told = Listen(*side);
  writer.join();
  EXPECT_EQ(told.output, "1000000\n");
}

TEST(SideProcessTest, InputThatNobodyReadsDoesNotHoldUpTheEnd) {
  signal(SIGPIPE, SIG_IGN);
  const auto side = Begin(ACommand({"sleep", "1000"}));
  std::thread writer([&] { EXPECT_FALSE(side->WriteInput(std::string(10'000'000, 'x'))); });
  side->HangUp();
  writer.join();
  EXPECT_EQ(Listen(*side).end->signal, SIGHUP);
}

TEST(SideProcessTest, SignalsReachTheCommand) {
  const auto side =
      Begin(ACommand({"sh", "-c", "trap 'echo caught; exit 3' INT; echo on; sleep 1000 & wait"}));
  Listen(*side, "on\n");
  side->Signal(SIGINT);
  const Told told = Listen(*side);
  EXPECT_EQ(told.output, "caught\n");
  EXPECT_EQ(told.end->exit_code, 3);
}

TEST(SideProcessTest, ATerminalHasItsSizeAndKeys) {
  ExecOrder order;
  order.has_terminal = true;
  order.rows = 33;
  order.columns = 91;
  const auto side = Begin(
      ACommand({"sh",
                "-c",
                "stty size; read x; stty size; trap 'exit 9' INT; echo on; sleep 1000 & wait"}),
      order);
  Listen(*side, "33 91\r\n");
  side->Resize(40, 120);
  side->WriteInput("\n");
  EXPECT_THAT(Listen(*side, "on\r\n").output, HasSubstr("40 120\r\n"));
  side->WriteInput("\x03");
  const Told told = Listen(*side);
  ASSERT_TRUE(told.end.ok());
  EXPECT_EQ(told.end->exit_code, 9);
}

// The process of that number is gone, or nobody has waited for it.
bool IsGone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.empty() || text[text.rfind(')') + 2] == 'Z';
}

TEST(SideProcessTest, WhatItLeftBehindEndsWithIt) {
  const auto side = Begin(ACommand({"sh", "-c", "setsid sleep 1000 & echo $!"}));
  const Told told = Listen(*side);
  ASSERT_TRUE(told.end.ok());
  EXPECT_TRUE(IsGone(std::atoi(told.output.c_str())));
}

TEST(SideProcessTest, KillEndsWhatIgnoresAllElse) {
  const auto side =
      Begin(ACommand({"sh", "-c", "trap '' HUP TERM INT; echo $$; while :; do sleep 1000; done"}));
  const Told begun = Listen(*side, "\n");
  side->Kill();
  const Told told = Listen(*side);
  ASSERT_TRUE(told.end.ok());
  EXPECT_EQ(told.end->signal, SIGKILL);
  EXPECT_TRUE(IsGone(std::atoi(begun.output.c_str())));
}

TEST(SideProcessTest, AHangupEndsWhatIgnoresIt) {
  pid_t pid = 0;
  {
    const auto side =
        Begin(ACommand({"sh", "-c", "trap '' HUP; echo $$; while :; do sleep 1000; done"}));
    pid = std::atoi(Listen(*side, "\n").output.c_str());
  }
  EXPECT_TRUE(IsGone(pid));
}

TEST(SideProcessTest, EntersASandbox) {
  const std::string bwrap = "/usr/bin/bwrap";
  const std::vector<std::string> sandbox = {bwrap,
                                            "--unshare-pid",
                                            "--unshare-ipc",
                                            "--unshare-net",
                                            "--cap-drop",
                                            "ALL",
                                            "--ro-bind",
                                            "/",
                                            "/",
                                            "--tmpfs",
                                            "/tmp",
                                            "--proc",
                                            "/proc",
                                            "--dev",
                                            "/dev",
                                            "--",
                                            "sh",
                                            "-c",
                                            "echo inside > /tmp/own; echo on; sleep 1000; true"};
  if (access(bwrap.c_str(), X_OK) != 0) GTEST_SKIP() << "there is no bwrap";
  // Its own process becomes bwrap, and is what is entered.
  const auto step = Begin(ACommand([&] {
    std::vector<std::string> argv = {"sh", "-c", "echo $$; exec \"$@\"", "sh"};
    argv.insert(argv.end(), sandbox.begin(), sandbox.end());
    return argv;
  }()));
  const std::string begun = Listen(*step, "on\n").output;
  if (begun.find("on\n") == std::string::npos) GTEST_SKIP() << "no sandbox works here";
  ExecCommand command = ACommand({"sh",
                                  "-c",
                                  "cat /tmp/own; cut -d' ' -f1 /proc/1/comm; tty; "
                                  "grep -E 'CapBnd|CapEff|NoNewPrivs' /proc/self/status"});
  command.sandbox = std::atoi(begun.c_str());
  ExecOrder order;
  order.has_terminal = true;
  const auto side = Begin(command, order);
  ASSERT_NE(side, nullptr);
  const Told told = Listen(*side);
  EXPECT_THAT(told.output, HasSubstr("inside\r\nbwrap\r\n/dev/pts/0\r\n"));
  EXPECT_THAT(told.output, HasSubstr("CapEff:\t0000000000000000\r\n"));
  EXPECT_THAT(told.output, HasSubstr("CapBnd:\t0000000000000000\r\n"));
  EXPECT_THAT(told.output, HasSubstr("NoNewPrivs:\t1\r\n"));
  // What no sandbox has is not entered.
  command.sandbox = getpid();
  EXPECT_FALSE(SideProcess::Start(POTOK_ENTER, order, command).ok());
}

}  // namespace
}  // namespace potok::agent
