#include "client/frontend/azureml/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

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

class GoodCase : public testing::TestWithParam<std::string> {};

// Beside NAME.yml lies NAME.txt: warnings, if any, and the spec.
TEST_P(GoodCase, LoadsAsTheSpecBesideIt) {
  const Loaded loaded = LoadCase("good", GetParam());
  ASSERT_TRUE(loaded.spec.has_value()) << Lines(loaded.diagnostics);
  EXPECT_EQ(Lines(loaded.diagnostics) + SpecText(*loaded.spec, CASES),
            ReadText(GetParam() + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(Files, GoodCase, testing::ValuesIn(CasesIn("good")), NameOf);

class WrongCase : public testing::TestWithParam<std::string> {};

// Beside NAME.yml lies NAME.txt: every message, with its place.
TEST_P(WrongCase, IsRefusedWithTheMessagesBesideIt) {
  const Loaded loaded = LoadCase("wrong", GetParam());
  EXPECT_FALSE(loaded.spec.has_value());
  EXPECT_TRUE(loaded.HasErrors());
  EXPECT_EQ(Lines(loaded.diagnostics), ReadText(GetParam() + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(Files, WrongCase, testing::ValuesIn(CasesIn("wrong")), NameOf);

}  // namespace

}  // namespace potok::client
