#include "common/cas/ignore.h"

#include <gtest/gtest.h>

#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

struct Case {
  const char* rules;
  const char* path;
  bool ignored;
};

// gitignore(5), with Azure ML's '!', which brings a file back even out of an ignored folder.
const Case kCases[] = {
    {"", "a", false},
    {"a", "a", true},
    {"a", "b/a", true},
    {"a", "a/", true},
    {"a", "a/b/c", true},
    {"a", "ab", false},
    {"*.pyc", "x.pyc", true},
    {"*.pyc", "d/e/x.pyc", true},
    {"*.pyc", "x.py", false},
    {"*", ".hidden", true},
    {"/a", "a", true},
    {"/a", "b/a", false},
    {"a/b", "a/b", true},
    {"a/b", "c/a/b", false},
    {"a/b", "a/b/c", true},
    {"a/", "a/", true},
    {"a/", "a", false},
    {"a/", "b/a/", true},
    {"a/", "b/a/file", true},
    {"/a/", "b/a/", false},
    {"**/a", "a", true},
    {"**/a", "x/y/a", true},
    {"a/**", "a/", false},
    {"a/**", "a/b", true},
    {"a/**", "a/b/c", true},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b", true},
    {"a/**/b", "x/a/b", false},
    {"**/foo/bar", "x/foo/bar", true},
    {"a/*", "a/b", true},
    {"a/*", "a/b/c", true},
    {"a/*.txt", "a/b/c.txt", false},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"[a-c]x", "bx", true},
    {"[!a-c]x", "bx", false},
    {"[!a-c]x", "dx", true},
    {"[]-]x", "-x", true},
    {"[[:digit:]]", "7", true},
    {"# comment", "# comment", false},
    {"\\#file", "#file", true},
    {"\\!file", "!file", true},
    {"\\*", "*", true},
    {"\\*", "x", false},
    {"trailing   ", "trailing", true},
    {"space\\ ", "space ", true},
    {"space\\ ", "space", false},
    {"inner space", "inner space", true},
    {"windows\r", "windows", true},
    {"\n\n  \nafter", "after", true},
    {"*.log\n!keep.log", "keep.log", false},
    {"*.log\n!keep.log", "other.log", true},
    {"!keep.log\n*.log", "keep.log", true},
    {"logs/\n!logs/keep", "logs/keep", false},
    {"logs/\n!logs/keep", "logs/other", true},
    {"logs/\n!logs/keep", "logs/", false},
    {"!keep\nlogs/", "logs/", true},
    {"*\n!src/\n!src/**", "src/a/b", false},
    {"*\n!src/\n!src/**", "other", true},
    {"/", "a", false},
    {"!", "a", false},
    {"\xEF\xBB\xBFmarked", "marked", true},
    {"\xC3\xBC*",
     "\xC3\xBC"
     "ber",
     true},
};

TEST(IgnoreTest, FollowsTheRulesOfTheTable) {
  for (const Case& one : kCases) {
    const TemporaryFolder folder;
    WriteFile(folder / ".gitignore", one.rules);
    const auto ignored = IgnoreRulesOf(folder.path());
    ASSERT_TRUE(ignored.ok()) << ignored.status();
    EXPECT_EQ((*ignored)(one.path), one.ignored) << "'" << one.rules << "' on " << one.path;
  }
}

TEST(IgnoreTest, TakesAzuresFileInsteadOfGits) {
  const TemporaryFolder folder;
  WriteFile(folder / ".gitignore", "git");
  WriteFile(folder / ".amlignore", "aml");
  const auto ignored = IgnoreRulesOf(folder.path());
  ASSERT_TRUE(ignored.ok()) << ignored.status();
  EXPECT_TRUE((*ignored)("aml"));
  EXPECT_FALSE((*ignored)("git"));
}

TEST(IgnoreTest, IgnoresNothingWithoutAFile) {
  const TemporaryFolder folder;
  WriteFile(folder / "below/.gitignore", "*");
  const auto ignored = IgnoreRulesOf(folder.path());
  ASSERT_TRUE(ignored.ok()) << ignored.status();
  EXPECT_FALSE((*ignored)("below/anything"));
}

}  // namespace
}  // namespace potok
