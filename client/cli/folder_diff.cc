#include "client/cli/folder_diff.h"

#include <map>
#include <optional>

#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::size_t kDifferencesMax = 1000;

struct Entry {
  std::string text;
  std::optional<Digest> folder;
};

absl::StatusOr<std::map<std::string, Entry>> Entries(const Digest& digest,
                                                     int depth,
                                                     const ReadFolder& read) {
  POTOK_ASSIGN_OR_RETURN(const std::string bytes, read(digest));
  POTOK_ASSIGN_OR_RETURN(const Folder folder, DecodeFolder(bytes, depth));
  std::map<std::string, Entry> entries;
  for (const FolderFile& file : folder.files) {
    entries[file.name].text = fmt::format("sha256:{}/{}{}",
                                          file.digest.Hex(),
                                          file.digest.size_bytes,
                                          file.is_executable ? " executable" : "");
  }
  for (const FolderLink& link : folder.links) entries[link.name].text = "link to " + link.target;
  for (const FolderChild& child : folder.folders) entries[child.name] = {"folder", child.digest};
  return entries;
}

void AddOnlyIn(const std::map<std::string, Entry>& of_b,
               const std::map<std::string, Entry>& of_a,
               const std::string& path,
               std::vector<Difference>* differences) {
  for (const auto& [name, entry] : of_b) {
    if (differences->size() >= kDifferencesMax) return;
    if (!of_a.contains(name)) differences->push_back({path + name, "", entry.text});
  }
}

absl::Status DiffLevel(const Digest& a,
                       const Digest& b,
                       const std::string& path,
                       int depth,
                       const ReadFolder& read,
                       std::vector<Difference>* differences) {
  if (depth > kFolderDepthMax) {
    return absl::DataLossError(fmt::format("the folders are more than {} deep", kFolderDepthMax));
  }
  POTOK_ASSIGN_OR_RETURN(const auto of_a, Entries(a, depth, read));
  POTOK_ASSIGN_OR_RETURN(const auto of_b, Entries(b, depth, read));
  for (const auto& [name, entry] : of_a) {
    if (differences->size() >= kDifferencesMax) return absl::OkStatus();
    const auto other = of_b.find(name);
    if (other == of_b.end()) {
      differences->push_back({path + name, entry.text, ""});
    } else if (entry.folder && other->second.folder) {
      if (*entry.folder == *other->second.folder) continue;
      POTOK_RETURN_IF_ERROR(DiffLevel(
          *entry.folder, *other->second.folder, path + name + "/", depth + 1, read, differences));
    } else if (entry.text != other->second.text) {
      differences->push_back({path + name, entry.text, other->second.text});
    }
  }
  AddOnlyIn(of_b, of_a, path, differences);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Difference>> DiffFolders(const Digest& a,
                                                    const Digest& b,
                                                    const ReadFolder& read) {
  std::vector<Difference> differences;
  POTOK_RETURN_IF_ERROR(DiffLevel(a, b, "", 0, read, &differences));
  if (differences.size() >= kDifferencesMax) differences.push_back({"...", "", ""});
  return differences;
}

}  // namespace potok::client
