#include "client/frontend/azureml/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fmt/format.h"
#include "tests/client/frontend/spec_text.h"

namespace potok::client {

namespace {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Stems of the cases in a folder, in order.
std::vector<std::string> CasesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CASES + ("/" + folder))) {
    if (entry.path().extension() == ".yml") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

// A case's lines "#--set a.b=c" are the command line's overrides.
LoadOptions OptionsOf(const std::string& yaml) {
  LoadOptions options;
  const std::string prefix = "#--set ";
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, prefix.size(), prefix) == 0) {
      options.set.push_back(line.substr(prefix.size()));
    }
  }
  return options;
}

std::string Lines(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::string line = ToString(diagnostic);
    // What was looked for is told in full; where the cases lie differs from machine to machine.
    for (std::size_t at = line.find(CASES); at != std::string::npos; at = line.find(CASES)) {
      line.replace(at, std::string(CASES).size(), "<cases>");
    }
    text += line + "\n";
  }
  return text;
}

Loaded LoadCase(const std::string& folder, const std::string& name) {
  std::filesystem::current_path(CASES + ("/" + folder));
  return LoadJob(name + ".yml", OptionsOf(ReadText(name + ".yml")));
}

std::string NameOf(const testing::TestParamInfo<std::string>& test) {
  return test.param;
}

// With POTOK_WRITE_CASES set what was said becomes what is expected, to be looked at by whoever set
// it.
void MaybeWrite(const std::string& name, const std::string& text) {
  if (getenv("POTOK_WRITE_CASES") != nullptr) std::ofstream(name + ".txt") << text;
}

class GoodCase : public testing::TestWithParam<std::string> {};

// Beside NAME.yml lies NAME.txt: warnings, if any, and the spec.
TEST_P(GoodCase, LoadsAsTheSpecBesideIt) {
  const Loaded loaded = LoadCase("good", GetParam());
  ASSERT_TRUE(loaded.spec.has_value()) << Lines(loaded.diagnostics);
  const std::string text = Lines(loaded.diagnostics) + SpecText(*loaded.spec, CASES);
  MaybeWrite(GetParam(), text);
  EXPECT_EQ(text, ReadText(GetParam() + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(Files, GoodCase, testing::ValuesIn(CasesIn("good")), NameOf);

class WrongCase : public testing::TestWithParam<std::string> {};

// Beside NAME.yml lies NAME.txt: every message, with its place.
TEST_P(WrongCase, IsRefusedWithTheMessagesBesideIt) {
  const Loaded loaded = LoadCase("wrong", GetParam());
  EXPECT_FALSE(loaded.spec.has_value());
  EXPECT_TRUE(loaded.HasErrors());
  MaybeWrite(GetParam(), Lines(loaded.diagnostics));
  EXPECT_EQ(Lines(loaded.diagnostics), ReadText(GetParam() + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(Files, WrongCase, testing::ValuesIn(CasesIn("wrong")), NameOf);

// A folder of its own for files that a test writes; the working directory meanwhile.
class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    std::string name = testing::TempDir() + "/load-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::current_path(folder_);
  }
  ~LoadTest() override {
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder_);
  }
  static void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path("./" + file).parent_path());
    std::ofstream(file) << text;
  }

  std::filesystem::path folder_;
};

TEST_F(LoadTest, NamesTheFileThatDoesNotExist) {
  EXPECT_EQ(Lines(LoadJob("absent.yml", {}).diagnostics),
            "absent.yml: error: 'absent.yml' cannot be read: No such file or directory\n");
}

TEST_F(LoadTest, RefusesAFolder) {
  std::filesystem::create_directory("job.yml");
  EXPECT_EQ(Lines(LoadJob("job.yml", {}).diagnostics),
            "job.yml: error: 'job.yml' cannot be read: this is not a regular file\n");
}

TEST_F(LoadTest, RefusesAFileAboveTheLimitWithoutReadingIt) {
  Write("job.yml", "");
  std::filesystem::resize_file("job.yml", (std::uintmax_t{64} << 20) + 1);
  EXPECT_EQ(Lines(LoadJob("job.yml", {}).diagnostics),
            "job.yml: error: 'job.yml' cannot be read: it has 67108865 bytes, and 67108864 are "
            "allowed\n");
}

TEST_F(LoadTest, NamesTheExperimentAfterTheWorkingDirectory) {
  Write("trials/job.yml", "command: echo");
  std::filesystem::current_path("trials");
  const Loaded loaded = LoadJob("job.yml", {});
  ASSERT_TRUE(loaded.spec.has_value());
  EXPECT_EQ(loaded.spec->experiment_name, "trials");
}

TEST_F(LoadTest, ResolvesPathsAgainstTheFileThatHoldsThem) {
  Write("work/pipelines/job.yml", "type: pipeline\njobs: {a: {component: ../parts/a.yml}}\n");
  Write("work/parts/a.yml", "command: ./run\ncode: ./code\n");
  Write("work/parts/code/run", "");
  const Loaded loaded = LoadJob("work/pipelines/job.yml", {});
  ASSERT_TRUE(loaded.spec.has_value()) << Lines(loaded.diagnostics);
  EXPECT_EQ(std::get<LocalCode>(loaded.spec->steps[0].code).path,
            std::filesystem::canonical("work/parts/code"));
}

TEST_F(LoadTest, MayAwaitValuesOfTheInputsThatTheJobLists) {
  Write("job.yml", "type: pipeline\ncomponent: ./c.yml\ninputs: {data: {type: uri_folder}}\n");
  Write("c.yml",
        "type: pipeline\ninputs: {data: {type: uri_folder}, m: {type: string, default: a}}\n"
        "jobs: {a: {command: \"ls ${{inputs.x}}\", inputs: {x: \"${{parent.inputs.data}}\"}}}\n");
  LoadOptions options;
  EXPECT_EQ(Lines(LoadJob("job.yml", options).diagnostics),
            "job.yml:3:10: error: a value is required; give one here or with --set "
            "inputs.data.path=...\n");
  options.values_may_follow = true;
  const Loaded loaded = LoadJob("job.yml", options);
  EXPECT_TRUE(loaded.spec.has_value());
  EXPECT_EQ(Lines(loaded.diagnostics),
            "job.yml:3:10: warning: there is no value, and `job create` needs one; give one here "
            "or with --set inputs.data.path=...\n");
  options.set = {"inputs={}"};
  EXPECT_FALSE(LoadJob("job.yml", options).spec.has_value());
}

TEST_F(LoadTest, NamesFilesAsTheUserDid) {
  Write("work/pipelines/job.yml", "type: pipeline\njobs: {a: {component: ../parts/a.yml}}\n");
  Write("work/parts/a.yml", "command: ./run\ncode: ./code\n");
  EXPECT_THAT(Lines(LoadJob("work/pipelines/job.yml", {}).diagnostics),
              testing::StartsWith("work/parts/a.yml:2:7: error: code './code' does not exist"));
}

TEST_F(LoadTest, RefusesAliasesThatNestWithoutEnd) {
  std::string yaml = "type: pipeline\na0: &a0 x\n";
  for (int i = 1; i < 2000; ++i) yaml += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  Write("job.yml", yaml);
  EXPECT_EQ(Lines(LoadJob("job.yml", {}).diagnostics),
            "job.yml:501:7: error: this is not YAML: values are nested too deeply\n");
}

TEST_F(LoadTest, RefusesListsThatNestTooDeeply) {
  Write("job.yml", "type: pipeline\njobs: " + std::string(3000, '[') + std::string(3000, ']'));
  EXPECT_THAT(Lines(LoadJob("job.yml", {}).diagnostics),
              testing::HasSubstr("this is not YAML: values are nested too deeply"));
}

TEST_F(LoadTest, ReadsManySteps) {
  constexpr int kSteps = 5000;
  std::string yaml = "type: pipeline\njobs:\n";
  for (int i = 0; i < kSteps; ++i) {
    yaml += fmt::format("  s{}:\n    component: ./c.yml\n", i);
    if (i != 0)
      yaml += fmt::format("    inputs: {{x: '${{{{parent.jobs.s{}.outputs.y}}}}'}}\n", i - 1);
  }
  Write("job.yml", yaml);
  Write("c.yml",
        "command: echo\ninputs: {x: {type: uri_file, optional: true}}\noutputs: {y: {type: "
        "uri_file}}\n");
  const Loaded loaded = LoadJob("job.yml", {});
  ASSERT_TRUE(loaded.spec.has_value()) << Lines(loaded.diagnostics);
  EXPECT_EQ(loaded.spec->steps.size(), kSteps);
}

}  // namespace

}  // namespace potok::client
