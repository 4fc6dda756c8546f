// Environments that are built: of which steps, once, and how long they are kept.
#include "agent/runtime/python_environments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BuildStepsTest, AreAVenvAndItsPip) {
  const auto steps = BuildSteps({"3.11", {"numpy"}, {}, {}}, "/usr/bin/python3.11", "", "/e");
  ASSERT_TRUE(steps.ok());
  EXPECT_THAT((*steps)[0], ElementsAre("/usr/bin/python3.11", "-m", "venv", "/e"));
  EXPECT_EQ((*steps)[1].front(), "/e/bin/python");
  EXPECT_EQ(BuildSteps({"", {}, {}, {}}, "/usr/bin/python3", "", "/e")->size(), 1U);
}

TEST(BuildStepsTest, CondaBringsItsPackagesAndPythonsThatAreNotHere) {
  const auto steps = BuildSteps({"3.9", {}, {"gcc=12"}, {"conda-forge"}}, "", "/opt/conda", "/e");
  ASSERT_TRUE(steps.ok());
  EXPECT_THAT((*steps)[0],
              ElementsAre("/opt/conda",
                          "create",
                          "--yes",
                          "--quiet",
                          "--prefix",
                          "/e",
                          "--channel",
                          "conda-forge",
                          "python=3.9",
                          "pip",
                          "gcc=12"));
  EXPECT_THAT(BuildSteps({"", {}, {"gcc"}, {}}, "/usr/bin/python3", "", "/e").status().ToString(),
              HasSubstr("conda's packages gcc"));
  EXPECT_THAT(BuildSteps({"3.9.1", {}, {}, {}}, "", "", "/e").status().ToString(),
              HasSubstr("neither python3.9 nor conda"));
}

// With a Python that only notes what it is asked for.
class PythonEnvironmentsTest : public ::testing::Test {
 protected:
  PythonEnvironmentsTest() {
    std::string name = std::filesystem::temp_directory_path() / "potok-python-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::create_directories(folder_ + "/bin");
    std::filesystem::create_directories(folder_ + "/attempts/1.0.1");
    std::ofstream(folder_ + "/bin/python3")
        << "#!/bin/bash\necho \"$*\" >> " << folder_ << "/asked\n"
        << "case \"$*\" in *install*) cat \"${@: -1}\"; grep -q broken \"${@: -1}\" && "
           "{ echo no such package >&2; exit 1; };; *venv*) mkdir -p \"$3/bin\"; "
           "cp \"$0\" \"$3/bin/python\"; head -c 1000 /dev/zero > \"$3/fill\";; esac; exit 0\n";
    std::filesystem::permissions(folder_ + "/bin/python3", std::filesystem::perms::owner_all);
  }
  ~PythonEnvironmentsTest() override { std::filesystem::remove_all(folder_); }

  PythonEnvironments Environments(std::int64_t bytes_max = 0) {
    return PythonEnvironments({.folder = folder_ + "/environments",
                               .attempts = folder_ + "/attempts",
                               .bytes_max = bytes_max,
                               .environment = {{"PATH", folder_ + "/bin:/usr/bin:/bin"}}});
  }
  std::string Text(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  void Age(const std::string& environment) const {
    std::filesystem::last_write_time(
        environment + "/potok-whole",
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::string folder_;
};

TEST_F(PythonEnvironmentsTest, AreBuiltOnceForEachSetOfPackages) {
  PythonEnvironments environments = Environments();
  const auto first = environments.Get({"", {"numpy"}, {}, {}}, folder_ + "/log", {});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string asked = Text("asked");
  const auto again = environments.Get({"", {"numpy"}, {}, {}}, folder_ + "/log", {});
  EXPECT_EQ(again->folder, first->folder);
  EXPECT_EQ(Text("asked"), asked);
  EXPECT_THAT(Text("log"), HasSubstr("potok: building the Python environment\nnumpy\n"));
  EXPECT_NE(environments.Get({"", {"pandas"}, {}, {}}, folder_ + "/log", {})->folder,
            first->folder);
}

TEST_F(PythonEnvironmentsTest, WhatFailsIsToldAndLeavesNothing) {
  PythonEnvironments environments = Environments();
  const auto failed = environments.Get({"", {"broken"}, {}, {}}, folder_ + "/log", {});
  EXPECT_THAT(failed.status().ToString(), HasSubstr("no such package"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/environments"));
}

TEST_F(PythonEnvironmentsTest, WhatIsNotUsedGoesFirstWhenTheDiskIsFull) {
  PythonEnvironments environments = Environments(2500);
  const std::string log = folder_ + "/log";
  const std::string used = environments.Get({"", {"a"}, {}, {}}, log, {})->folder;
  const std::string unused = environments.Get({"", {"b"}, {}, {}}, log, {})->folder;
  Age(used);
  Age(unused);
  std::ofstream(folder_ + "/attempts/1.0.1/runtime")
      << "python sha256:" << std::filesystem::path(used).filename().string();
  const std::string last = environments.Get({"", {"c"}, {}, {}}, log, {})->folder;
  EXPECT_TRUE(std::filesystem::exists(used));
  EXPECT_FALSE(std::filesystem::exists(unused));
  EXPECT_TRUE(std::filesystem::exists(last));
}

}  // namespace
}  // namespace potok::agent
