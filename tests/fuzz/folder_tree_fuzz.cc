// Folders of a store that anybody may have written: planned from hostile Directory messages and
// laid out; nothing may come to lie, or lead, outside. The input is a Tree; a digest whose hash is
// a number is the folder or blob of that number, so that folders can name each other, and
// themselves.
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "build/bazel/remote/execution/v2/remote_execution.pb.h"
#include "common/cas/folder.h"
#include "common/cas/laying.h"
#include "common/cas/tree_plan.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

namespace reapi = build::bazel::remote::execution::v2;
namespace fs = std::filesystem;

// Enough to go wrong, few enough to be laid a thousand times a second.
constexpr std::size_t kEntriesLaid = 200;
constexpr double kEntriesPlanned = 20'000;
const std::string kBlob = "content";

Digest FolderNumber(std::size_t number) {
  Digest digest;
  digest.sha256[0] = static_cast<unsigned char>(number);
  digest.size_bytes = 1;
  return digest;
}

// The digest that a hash which is a number stands for.
void Resolve(reapi::Digest* digest, bool is_folder) {
  const std::string& hash = digest->hash();
  if (hash.empty() || hash.size() > 2) return;
  if (hash.find_first_not_of("0123456789") != std::string::npos) return;
  const Digest named =
      is_folder ? FolderNumber(std::stoul(hash)) : DigestOf(hash == "0" ? "" : kBlob);
  digest->set_hash(named.Hex());
  digest->set_size_bytes(named.size_bytes);
}

std::string Bytes(reapi::Directory folder) {
  for (reapi::FileNode& file : *folder.mutable_files()) Resolve(file.mutable_digest(), false);
  for (reapi::DirectoryNode& child : *folder.mutable_directories()) {
    Resolve(child.mutable_digest(), true);
  }
  return folder.SerializeAsString();
}

// Whether the tree unfolds to more than is planned quickly: PlanTree itself goes on to two million
// entries, which tests/common/cas sees once.
bool IsLarge(const std::map<Digest, std::string>& folders) {
  std::map<Digest, double> level = {{FolderNumber(0), 1}};
  double entries = 0;
  for (int depth = 0; depth <= kFolderDepthMax && !level.empty() && entries < kEntriesPlanned;
       ++depth) {
    std::map<Digest, double> below;
    for (const auto& [digest, times] : level) {
      const auto found = folders.find(digest);
      reapi::Directory folder;
      if (found == folders.end() || !folder.ParseFromString(found->second)) continue;
      entries += times * (1.0 + folder.files_size() + folder.symlinks_size());
      for (const reapi::DirectoryNode& child : folder.directories()) {
        const auto named = ParseDigest(child.digest().hash(), child.digest().size_bytes());
        if (named.ok()) below[*named] += times;
      }
    }
    level = std::move(below);
  }
  return entries >= kEntriesPlanned;
}

// A folder that was read is written as the same one.
void CheckRoundTrip(const std::string& bytes) {
  const auto folder = DecodeFolder(bytes, 2);
  if (!folder.ok()) return;
  const std::string written = EncodeFolder(*folder);
  const auto again = DecodeFolder(written, 2);
  POTOK_CHECK(again.ok() && EncodeFolder(*again) == written);
}

void CheckPlan(const TreePlan& plan) {
  std::set<std::string> paths;
  const auto check = [&](const std::string& path) {
    POTOK_CHECK(paths.insert(path).second);
    POTOK_CHECK(path.empty() || path[0] != '/');
    for (const auto& part : fs::path(path)) POTOK_CHECK(part != ".." && part != ".");
  };
  for (const std::string& folder : plan.folders) check(folder);
  for (const TreePlan::File& file : plan.files) check(file.path);
  for (const TreePlan::Link& link : plan.links) check(link.path);
}

// Everything below `root` is what it is there, and every link leads below it.
void CheckInside(const std::string& root) {
  const std::string inside = fs::canonical(root).string();
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_symlink()) continue;
    // Read by hand: a link that leads nowhere yet would be taken for its own target.
    const fs::path folder = fs::canonical(entry.path().parent_path());
    std::error_code loop;  // leads nowhere
    const fs::path target = fs::weakly_canonical(folder / fs::read_symlink(entry.path()), loop);
    if (loop) continue;
    POTOK_CHECK(target == inside || target.string().starts_with(inside + "/"));
  }
}

void Lay(const TreePlan& plan) {
  static const std::string blob = [] {
    const std::string path = PrivateFolder() + "/blob";
    std::ofstream(path) << kBlob;
    std::ofstream(PrivateFolder() + "/empty");
    return path;
  }();
  const auto path_of = [](const Digest& digest) -> absl::StatusOr<std::string> {
    if (digest.size_bytes == 0) return PrivateFolder() + "/empty";
    if (digest == DigestOf(kBlob)) return blob;
    return absl::NotFoundError("no such blob");
  };
  const std::string parent = PrivateFolder() + "/parent";
  fs::create_directory(parent);
  const std::string root = parent + "/root";
  const absl::Status laid = MakeBeside(root, false, [&](const std::string& beside) {
    return LayPlan(plan, beside, Laying::kCopy, path_of);
  });
  std::size_t beside = 0;
  for (const auto& entry : fs::directory_iterator(parent)) {
    POTOK_CHECK(entry.path() == root);
    ++beside;
  }
  POTOK_CHECK(beside == (laid.ok() ? 1 : 0));
  if (laid.ok() && fs::is_directory(root)) CheckInside(root);
  fs::remove_all(root);
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  const std::string bytes = TextOf(data, size);
  CheckRoundTrip(bytes);
  reapi::Tree tree;
  if (!ReadMessage(bytes, &tree)) return 0;
  std::map<Digest, std::string> folders;
  folders[FolderNumber(0)] = Bytes(tree.root());
  for (const reapi::Directory& child : tree.children()) {
    folders[FolderNumber(folders.size())] = Bytes(child);
  }
  if (IsLarge(folders)) return 0;
  const auto read =
      [&](const std::vector<Digest>& digests) -> absl::StatusOr<std::vector<std::string>> {
    std::vector<std::string> contents;
    for (const Digest& digest : digests) {
      const auto found = folders.find(digest);
      if (found == folders.end()) return absl::NotFoundError("no such folder");
      contents.push_back(found->second);
    }
    return contents;
  };
  const auto plan = PlanTree({FolderNumber(0), true, 0, ""}, read);
  if (!plan.ok()) return 0;
  if (plan->folders.size() + plan->files.size() + plan->links.size() > kEntriesLaid) return 0;
  CheckPlan(*plan);
  Lay(*plan);
  return 0;
}
