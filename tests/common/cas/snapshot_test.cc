#include "common/cas/snapshot.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/cas/ignore.h"
#include "common/cas/tree.h"
#include "fmt/format.h"
#include "tests/common/cas/cas_testing.h"

namespace potok {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

Snapshot Take(const std::string& path, const SnapshotOptions& options = {}) {
  auto snapshot = SnapshotFolder(path, options);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return snapshot.ok() ? *std::move(snapshot) : Snapshot{};
}

Digest DigestOfFolder(const std::string& path, const SnapshotOptions& options = {}) {
  return Take(path, options).artifact.digest;
}

// What the snapshot would be laid out as.
std::map<std::string, std::string> Contents(const std::string& path,
                                            const SnapshotOptions& options = {}) {
  const TemporaryFolder folder;
  const auto store = OpenStore(folder / "store");
  const Snapshot snapshot = Take(path, options);
  EXPECT_TRUE(PutSnapshot(*store, snapshot).ok());
  const absl::Status laid = LayOut(*store, snapshot.artifact, folder / "out", false);
  EXPECT_TRUE(laid.ok()) << laid;
  return laid.ok() ? Listing(folder / "out") : std::map<std::string, std::string>{};
}

class SnapshotTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(SnapshotTest, AnEmptyFolderIsTheEmptyMessage) {
  const Snapshot snapshot = Take(folder_.path());
  EXPECT_EQ(snapshot.artifact.digest, DigestOf(""));
  EXPECT_TRUE(snapshot.artifact.is_folder);
  EXPECT_EQ(snapshot.file_count, 0);
}

TEST_F(SnapshotTest, AFolderHasTheBytesOfItsDirectoryMessage) {
  WriteFile(folder_ / "a", "hello");
  // Written by hand: field 1, 73 bytes: name "a", digest (68 bytes: hash, size 5).
  const std::string bytes = std::string("\x0a\x49\x0a\x01") + "a" + "\x12\x44\x0a\x40" +
                            DigestOf("hello").Hex() + "\x10\x05";
  EXPECT_EQ(DigestOfFolder(folder_.path()), DigestOf(bytes));
}

TEST_F(SnapshotTest, DoesNotDependOnTimesOrOrderOrPlace) {
  const std::string one = folder_ / "one";
  const std::string two = folder_ / "elsewhere/two";
  for (int i = 0; i < 50; ++i) WriteFile(one + fmt::format("/{}/f{}", i % 5, i), "x");
  for (int i = 49; i >= 0; --i) {
    const std::string path = two + fmt::format("/{}/f{}", i % 5, i);
    WriteFile(path, "x");
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(i));
    fs::permissions(path, fs::perms::owner_read);
  }
  EXPECT_EQ(DigestOfFolder(one), DigestOfFolder(two));
}

TEST_F(SnapshotTest, DependsOnNamesBytesExecutableBitsAndEmptyFolders) {
  const std::string path = folder_ / "code";
  WriteFile(path + "/a", "x");
  std::set<Digest> digests = {DigestOfFolder(path)};
  WriteFile(path + "/a", "y");
  EXPECT_TRUE(digests.insert(DigestOfFolder(path)).second);
  fs::permissions(path + "/a", fs::perms::owner_all);
  EXPECT_TRUE(digests.insert(DigestOfFolder(path)).second);
  fs::rename(path + "/a", path + "/b");
  EXPECT_TRUE(digests.insert(DigestOfFolder(path)).second);
  fs::create_directory(path + "/empty");
  EXPECT_TRUE(digests.insert(DigestOfFolder(path)).second);
}

TEST_F(SnapshotTest, KeepsEachContentOnceAndCountsAll) {
  WriteFile(folder_ / "a", "12345");
  WriteFile(folder_ / "b/c", "12345");
  const Snapshot snapshot = Take(folder_.path());
  EXPECT_EQ(snapshot.blobs.size(), 3U);
  EXPECT_EQ(snapshot.file_count, 2);
  EXPECT_EQ(snapshot.artifact.total_bytes, 10);
}

TEST_F(SnapshotTest, TakesOddNames) {
  for (const char* name : {"a b", "-rf", "new\nline", "\xC3\xBC", "...", ".hidden", "*", "\\"}) {
    WriteFile(folder_ / name, name);
  }
  EXPECT_EQ(Contents(folder_.path()), Listing(folder_.path()));
}

TEST_F(SnapshotTest, RefusesNamesThatAreNotUtf8) {
  WriteFile(folder_ / "bad\xFFname", "x");
  const auto snapshot = SnapshotFolder(folder_.path(), {});
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status()));
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("bad\\xffname"));
}

// Two names to us, whatever another system makes of them: nothing is lost.
TEST_F(SnapshotTest, KeepsNamesApartThatDifferOnlyInCaseOrForm) {
  const std::string composed = "caf\xC3\xA9";
  const std::string decomposed = "cafe\xCC\x81";
  for (const std::string& name :
       {std::string("readme"), std::string("README"), composed, decomposed}) {
    WriteFile(folder_ / name, name);
    WriteFile(folder_ / (name + "-folder/empty"), "");
  }
  EXPECT_EQ(Contents(folder_.path()), Listing(folder_.path()));
}

TEST_F(SnapshotTest, RefusesFoldersThatAreTooDeep) {
  std::string path = folder_.path();
  for (int i = 0; i <= 512; ++i) path += "/d";
  fs::create_directories(path);
  const auto snapshot = SnapshotFolder(folder_.path(), {});
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status()));
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("more than 512 folders deep"));
}

// Its path has more bytes than the system takes (PATH_MAX).
TEST_F(SnapshotTest, RefusesPathsThatAreTooLong) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  const std::string name(250, 'n');
  for (int i = 0; i < 20; ++i) {
    fs::create_directory(name);
    fs::current_path(name);
  }
  fs::current_path(before);
  const auto snapshot = SnapshotFolder(folder_.path(), {});
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status())) << snapshot.status();
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("File name too long"));
}

// Each of these folders has two links to the next: together they are a million folders.
TEST_F(SnapshotTest, RefusesFoldersThatLinksMakeLarge) {
  constexpr int kFolders = 20;
  for (int i = 0; i < kFolders; ++i) {
    const std::string path = folder_ / ("elsewhere/" + std::to_string(i));
    fs::create_directories(path);
    const std::string next = folder_ / ("elsewhere/" + std::to_string(i + 1));
    fs::create_symlink(next, path + "/a");
    fs::create_symlink(next, path + "/b");
  }
  WriteFile(folder_ / ("elsewhere/" + std::to_string(kFolders) + "/file"), "x");
  SnapshotOptions options;
  options.follow_symlinks = true;
  options.entries_max = 10'000;
  const auto snapshot = SnapshotFolder(folder_ / "elsewhere/0", options);
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status()));
  EXPECT_THAT(std::string(snapshot.status().message()),
              HasSubstr("has more than 10000 files and folders; leave some out by .amlignore"));
}

TEST_F(SnapshotTest, TakesAFolderOfAHundredThousandEntries) {
  constexpr int kFiles = 100'000;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = folder_ / ("many/" + std::to_string(i));
    if (i == 0) fs::create_directories(folder_ / "many");
    ASSERT_EQ(close(creat(path.c_str(), 0600)), 0);
  }
  const Snapshot snapshot = Take(folder_ / "many");
  EXPECT_EQ(snapshot.file_count, kFiles);
  EXPECT_EQ(snapshot.blobs.size(), 2U);
  const auto store = OpenStore(folder_ / "store");
  ASSERT_TRUE(PutSnapshot(*store, snapshot).ok());
  ASSERT_TRUE(LayOut(*store, snapshot.artifact, folder_ / "laid", false).ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "laid"), fs::directory_iterator()),
            kFiles);
}

TEST_F(SnapshotTest, RefusesPipes) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto snapshot = SnapshotFolder(folder_.path(), {});
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status()));
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr(folder_ / "pipe"));
}

TEST_F(SnapshotTest, SaysThatAFolderIsMissingOrNone) {
  WriteFile(folder_ / "file", "x");
  EXPECT_TRUE(absl::IsNotFound(SnapshotFolder(folder_ / "absent", {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SnapshotFolder(folder_ / "file", {}).status()));
}

TEST_F(SnapshotTest, LeavesOutWhatIsIgnoredButNotTheRules) {
  WriteFile(folder_ / ".gitignore", "*.pyc\n/data/\n");
  WriteFile(folder_ / "main.py", "");
  WriteFile(folder_ / "pkg/__pycache__/main.pyc", "");
  WriteFile(folder_ / "pkg/mod.py", "");
  WriteFile(folder_ / "data/huge", "");
  WriteFile(folder_ / "pkg/.gitignore", "mod.py");
  SnapshotOptions options;
  options.ignored = *IgnoreRulesOf(folder_.path());
  std::vector<std::string> names;
  for (const auto& [name, content] : Contents(folder_.path(), options)) names.push_back(name);
  EXPECT_THAT(
      names, testing::ElementsAre(".gitignore", "main.py", "pkg/", "pkg/.gitignore", "pkg/mod.py"));
}

TEST_F(SnapshotTest, MergesIncludesIntoTheRoot) {
  WriteFile(folder_ / "code/main.py", "main");
  WriteFile(folder_ / "code/lib/a.py", "a");
  WriteFile(folder_ / "shared/lib/b.py", "b");
  WriteFile(folder_ / "shared/util.py", "util");
  SnapshotOptions options;
  options.additional_includes = {folder_ / "shared/lib/", folder_ / "shared/util.py"};
  EXPECT_EQ(Contents(folder_ / "code", options),
            (std::map<std::string, std::string>{{"lib/", ""},
                                                {"lib/a.py", "a"},
                                                {"lib/b.py", "b"},
                                                {"main.py", "main"},
                                                {"util.py", "util"}}));
  EXPECT_EQ(
      Contents("", options),
      (std::map<std::string, std::string>{{"lib/", ""}, {"lib/b.py", "b"}, {"util.py", "util"}}));
}

TEST_F(SnapshotTest, RefusesIncludesThatClash) {
  WriteFile(folder_ / "code/util.py", "one");
  WriteFile(folder_ / "shared/util.py", "other");
  SnapshotOptions options;
  options.additional_includes = {folder_ / "shared/util.py"};
  const auto snapshot = SnapshotFolder(folder_ / "code", options);
  EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status()));
  options.additional_includes = {folder_ / "code/util.py"};
  EXPECT_TRUE(SnapshotFolder(folder_ / "code", options).ok());
  options.additional_includes = {folder_ / "absent"};
  EXPECT_TRUE(absl::IsNotFound(SnapshotFolder(folder_ / "code", options).status()));
}

// Azure ML's client makes a zip of the folder `lib` for an include `lib.zip` that does not exist.
TEST_F(SnapshotTest, PacksTheFolderOfAZipThatDoesNotExist) {
  WriteFile(folder_ / "shared/lib/a.py", "a = 1");
  WriteFile(folder_ / "shared/lib/sub/b.py", "");
  WriteFile(folder_ / "shared/lib/.secret", "x");
  SnapshotOptions options;
  options.additional_includes = {folder_ / "shared/lib.zip"};
  options.ignored = [](const std::string& relative) { return relative == "lib/.secret"; };
  const std::map<std::string, std::string> contents = Contents("", options);
  ASSERT_EQ(contents.size(), 1);
  const std::string zip = contents.at("lib.zip");
  WriteFile(folder_ / "out.zip", zip);
  const std::string script =
      "import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
      "assert z.namelist() == ['lib/', 'lib/a.py', 'lib/sub/', 'lib/sub/b.py'], z.namelist(); "
      "assert z.read('lib/a.py') == b'a = 1'";
  EXPECT_EQ(std::system(fmt::format("/usr/bin/python3 -c \"{}\" {}",  // NOLINT
                                    script,
                                    folder_ / "out.zip")
                            .c_str()),
            0);

  // Equal folders make equal zips, whatever their times; and a zip that is there is taken as it is.
  fs::last_write_time(folder_ / "shared/lib/a.py", fs::file_time_type::min());
  EXPECT_EQ(Contents("", options).at("lib.zip"), zip);
  WriteFile(folder_ / "shared/lib.zip", "made by hand");
  EXPECT_EQ(Contents("", options).at("lib.zip"), "made by hand");
}

TEST_F(SnapshotTest, RefusesAZipThatClashes) {
  WriteFile(folder_ / "code/lib.zip", "one");
  WriteFile(folder_ / "shared/lib/a.py", "a");
  SnapshotOptions options;
  options.additional_includes = {folder_ / "shared/lib.zip"};
  EXPECT_TRUE(absl::IsInvalidArgument(SnapshotFolder(folder_ / "code", options).status()));
}

TEST_F(SnapshotTest, FollowsLinksOfCode) {
  WriteFile(folder_ / "outside/file", "out");
  WriteFile(folder_ / "code/file", "in");
  fs::create_symlink(folder_ / "outside", folder_ / "code/folder-link");
  fs::create_symlink("file", folder_ / "code/file-link");
  SnapshotOptions options;
  options.follow_symlinks = true;
  EXPECT_EQ(
      Contents(folder_ / "code", options),
      (std::map<std::string, std::string>{
          {"file", "in"}, {"file-link", "in"}, {"folder-link/", ""}, {"folder-link/file", "out"}}));
}

TEST_F(SnapshotTest, RefusesLinksOfCodeThatLoopOrLeadNowhere) {
  SnapshotOptions options;
  options.follow_symlinks = true;
  WriteFile(folder_ / "loop/a/file", "x");
  fs::create_symlink("..", folder_ / "loop/a/up");
  EXPECT_THAT(std::string(SnapshotFolder(folder_ / "loop", options).status().message()),
              HasSubstr("leads back"));
  fs::create_directory(folder_ / "broken");
  fs::create_symlink("absent", folder_ / "broken/link");
  EXPECT_THAT(std::string(SnapshotFolder(folder_ / "broken", options).status().message()),
              HasSubstr("leads nowhere"));
  options.ignored = [](const std::string& path) { return path == "link"; };
  EXPECT_TRUE(SnapshotFolder(folder_ / "broken", options).ok());
}

TEST_F(SnapshotTest, KeepsLinksOfOutputsThatStayInside) {
  WriteFile(folder_ / "out/models/best", "x");
  fs::create_symlink("models/best", folder_ / "out/latest");
  fs::create_symlink("../latest", folder_ / "out/models/up");
  fs::create_symlink("not-yet", folder_ / "out/dangling");
  fs::create_symlink(folder_ / "out/models/best", folder_ / "out/models/absolute");
  const auto contents = Contents(folder_ / "out");
  EXPECT_EQ(contents.at("latest"), "-> models/best");
  EXPECT_EQ(contents.at("models/up"), "-> ../latest");
  EXPECT_EQ(contents.at("dangling"), "-> not-yet");
  EXPECT_EQ(contents.at("models/absolute"), "-> ../models/best");
}

TEST_F(SnapshotTest, RefusesLinksOfOutputsThatLeave) {
  for (const std::string target : {"/etc/passwd", "../x", "a/../../x", "sub/../x"}) {
    const std::string out = folder_ / "out";
    fs::remove_all(out);
    fs::create_directories(out);
    fs::create_symlink(target, out + "/link");
    const auto snapshot = SnapshotFolder(out, {});
    EXPECT_TRUE(absl::IsInvalidArgument(snapshot.status())) << target;
    EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr(out + "/link"));
  }
}

TEST_F(SnapshotTest, AFileIsItsDigestAndName) {
  WriteFile(folder_ / "model.bin", "weights");
  const auto snapshot = SnapshotFile(folder_ / "model.bin");
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->artifact,
            (Artifact{DigestOf("weights"), /*is_folder=*/false, 7, "model.bin"}));
  EXPECT_TRUE(absl::IsNotFound(SnapshotFile(folder_ / "absent").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SnapshotFile(folder_.path()).status()));
}

TEST_F(SnapshotTest, AFileWithHolesIsItsBytes) {
  std::string bytes = std::string(200'000, '\0') + "middle" + std::string(300'000, '\0');
  for (const std::string& end : {std::string("end"), std::string()}) {
    const std::string path = folder_ / "sparse";
    std::filesystem::remove(path);
    WriteFile(path, "");
    std::filesystem::resize_file(path, bytes.size());
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200'000) << "middle";
    file.seekp(static_cast<std::streamoff>(bytes.size())) << end;
    file.close();
    EXPECT_EQ(SnapshotFile(path)->artifact.digest, DigestOf(bytes + end));
  }
}

}  // namespace
}  // namespace potok
