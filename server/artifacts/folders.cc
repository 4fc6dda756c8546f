#include "server/artifacts/folders.h"

#include <algorithm>
#include <map>

#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

Artifact FolderArtifact(const Digest& digest) {
  Artifact artifact;
  artifact.digest = digest;
  artifact.is_folder = true;
  return artifact;
}

Artifact FileArtifact(const FolderFile& file) {
  Artifact artifact;
  artifact.digest = file.digest;
  artifact.total_bytes = file.digest.size_bytes;
  artifact.file_name = file.name;
  return artifact;
}

std::string SomeNamesIn(const Folder& folder) {
  constexpr std::size_t kNamesMax = 10;
  std::vector<std::string> names;
  for (const FolderChild& child : folder.folders) names.push_back(child.name + "/");
  for (const FolderFile& file : folder.files) names.push_back(file.name);
  if (names.empty()) return "nothing";
  const std::size_t shown = std::min(names.size(), kNamesMax);
  const std::string more = names.size() > shown ? ", ..." : "";
  names.resize(shown);
  return fmt::format("{}{}", fmt::join(names, ", "), more);
}

// What a folder holds under one name, so that two entries can be compared.
struct Entry {
  enum class Kind { kFile, kProgram, kFolder, kLink };
  Kind kind = Kind::kFile;
  Digest digest;
  std::string target;
  bool operator==(const Entry&) const = default;
};

std::map<std::string, Entry> EntriesOf(const Folder& folder) {
  std::map<std::string, Entry> entries;
  for (const FolderFile& file : folder.files) {
    entries[file.name] = {
        file.is_executable ? Entry::Kind::kProgram : Entry::Kind::kFile, file.digest, ""};
  }
  for (const FolderChild& child : folder.folders) {
    entries[child.name] = {Entry::Kind::kFolder, child.digest, ""};
  }
  for (const FolderLink& link : folder.links) {
    entries[link.name] = {Entry::Kind::kLink, {}, link.target};
  }
  return entries;
}

// Goes down only where digests differ. Its stack is one of folders in folders, kFolderDepthMax at
// most, which DecodeFolder and the loop here hold to.
class FolderComparison {
 public:
  FolderComparison(ArtifactStore& store, std::size_t max) : store_(store), max_(max) {}

  absl::Status Compare(const Digest& before,
                       const Digest& after,
                       const std::string& at,
                       int depth) {
    if (depth > kFolderDepthMax) return absl::DataLossError("folders are nested too deeply");
    POTOK_ASSIGN_OR_RETURN(const Folder old_folder, store_.ReadFolder(before, depth));
    POTOK_ASSIGN_OR_RETURN(const Folder new_folder, store_.ReadFolder(after, depth));
    const std::map<std::string, Entry> olds = EntriesOf(old_folder);
    const std::map<std::string, Entry> news = EntriesOf(new_folder);
    for (const auto& [name, old_entry] : olds) {
      const auto now = news.find(name);
      if (now == news.end()) {
        Say(at + name + " is gone");
      } else if (old_entry != now->second) {
        POTOK_RETURN_IF_ERROR(CompareEntries(old_entry, now->second, at + name, depth));
      }
      if (found_.size() >= max_) return absl::OkStatus();
    }
    for (const auto& [name, entry] : news) {
      if (!olds.contains(name)) Say(at + name + " is new");
    }
    return absl::OkStatus();
  }

  std::vector<std::string> Take() { return std::move(found_); }

 private:
  absl::Status CompareEntries(const Entry& before,
                              const Entry& after,
                              const std::string& path,
                              int depth) {
    if (before.kind == Entry::Kind::kFolder && after.kind == Entry::Kind::kFolder) {
      return Compare(before.digest, after.digest, path + "/", depth + 1);
    }
    const bool only_mode = before.digest == after.digest && before.target == after.target;
    Say(path + (only_mode ? " can be executed, or cannot any more" : " differs"));
    return absl::OkStatus();
  }

  void Say(std::string difference) {
    if (found_.size() < max_) found_.push_back(std::move(difference));
  }

  ArtifactStore& store_;
  const std::size_t max_;
  std::vector<std::string> found_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> PartsOfPath(const std::string& path) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/') {
      part += c;
      continue;
    }
    if (!part.empty()) {
      POTOK_RETURN_IF_ERROR(CheckName(part));
      parts.push_back(std::move(part));
    }
    part.clear();
  }
  return parts;
}

absl::StatusOr<Artifact> FindBelow(ArtifactStore& store,
                                   const Artifact& artifact,
                                   const std::vector<std::string>& parts) {
  Artifact found = artifact;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& name = parts[i];
    if (!found.is_folder) {
      if (i == 0 && parts.size() == 1 && name == artifact.file_name) return artifact;
      return absl::NotFoundError(
          fmt::format("there is no '{}': what would hold it is a file", fmt::join(parts, "/")));
    }
    POTOK_ASSIGN_OR_RETURN(const Folder folder,
                           store.ReadFolder(found.digest, static_cast<int>(i)));
    const auto child = std::ranges::find(folder.folders, name, &FolderChild::name);
    const auto file = std::ranges::find(folder.files, name, &FolderFile::name);
    if (child != folder.folders.end()) {
      found = FolderArtifact(child->digest);
    } else if (file != folder.files.end()) {
      found = FileArtifact(*file);
    } else if (std::ranges::find(folder.links, name, &FolderLink::name) != folder.links.end()) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is a symbolic link; name what it points at", name));
    } else {
      return absl::NotFoundError(fmt::format(
          "there is no '{}'; beside it there is {}", fmt::join(parts, "/"), SomeNamesIn(folder)));
    }
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> FilesThatDiffer(ArtifactStore& store,
                                                         const Artifact& before,
                                                         const Artifact& after,
                                                         std::size_t max) {
  if (!before.is_folder || !after.is_folder) return std::vector<std::string>();
  FolderComparison comparison(store, max);
  POTOK_RETURN_IF_ERROR(comparison.Compare(before.digest, after.digest, "", 0));
  return comparison.Take();
}

}  // namespace potok::server
