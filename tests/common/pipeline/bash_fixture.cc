#include "tests/common/pipeline/bash_fixture.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/check.h"
#include "fmt/format.h"

namespace potok {

namespace {

// The exit code of `bash arguments...` with this environment.
int Spawn(std::vector<std::string> arguments, std::vector<std::string> environment) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : environment) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_t pid = 0;
  POTOK_CHECK(posix_spawn(&pid, "/bin/bash", nullptr, nullptr, argv.data(), envp.data()) == 0);
  int status = 0;
  POTOK_CHECK(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BashFixture::BashFixture() {
  std::string pattern = std::filesystem::temp_directory_path() / "potok-bash-XXXXXX";
  POTOK_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

BashFixture::~BashFixture() {
  std::filesystem::remove_all(folder_);
}

std::string BashFixture::Run(const ShellCommand& command) {
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "OUT=" + Path("out")};
  for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
  std::filesystem::remove(Path("out"));
  Spawn({"bash", "-c", "cd \"${OUT%/*}\"\n" + command.script}, environment);
  return ReadFile("out");
}

std::vector<std::string> BashFixture::RunForEach(const std::string& script,
                                                 const std::vector<std::string>& values) {
  std::ofstream(Path("script"), std::ios::binary) << script;
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "POTOK_INPUT_x="};
  for (std::size_t i = 0; i < values.size(); ++i) {
    environment.push_back(fmt::format("VALUE_{}={}", i, values[i]));
    std::filesystem::remove(Path(fmt::format("out_{}", i)));
  }
  const std::string driver = fmt::format(
      "cd {}\nfor ((each = 0; each < {}; each++)); do\n"
      "  variable=VALUE_$each; POTOK_INPUT_x=${{!variable}} OUT=$PWD/out_$each; . ./script\ndone\n",
      folder_,
      values.size());
  Spawn({"bash", "-c", driver}, environment);
  std::vector<std::string> written;
  for (std::size_t i = 0; i < values.size(); ++i) {
    written.push_back(ReadFile(fmt::format("out_{}", i)));
  }
  return written;
}

bool BashFixture::CanaryExists() const {
  return std::filesystem::exists(Path("canary"));
}

std::string BashFixture::ReadFile(const std::string& name) const {
  std::ifstream file(Path(name), std::ios::binary);
  if (!file) return "(nothing)";
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace potok
