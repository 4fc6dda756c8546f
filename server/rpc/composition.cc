#include "server/rpc/composition.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "common/cas/snapshot.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr char kTableFile[] = "MLTable";

// Blobs to store, each once.
class Blobs {
 public:
  Digest Add(std::string bytes) {
    const Digest digest = DigestOf(bytes);
    blobs_.emplace(digest, std::move(bytes));
    return digest;
  }
  std::vector<SnapshotBlob> Take() {
    std::vector<SnapshotBlob> blobs;
    for (auto& [digest, bytes] : blobs_) {
      blobs.push_back(
          {digest, decltype(SnapshotBlob::content)(std::in_place_index<0>, std::move(bytes))});
    }
    return blobs;
  }

 private:
  std::map<Digest, std::string> blobs_;
};

absl::Status ComposeAll(ArtifactStore& store,
                        const ComposeOutputs& wanted,
                        std::vector<OutputValue>* outputs) {
  *outputs = wanted.known;
  for (const ComposeOutputs::Output& output : wanted.files) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, ComposeFolder(store, output.entries));
    outputs->push_back({output.name, artifact});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Artifact> ComposeFolder(
    ArtifactStore& store, const std::vector<std::pair<std::string, Artifact>>& entries) {
  Blobs blobs;
  Folder root;
  std::string table = entries.empty() ? "paths: []\n" : "paths:\n";
  Artifact whole;
  whole.is_folder = true;
  for (const auto& [label, made] : entries) {
    const std::string name = label == kTableFile ? label + "_" : label;
    POTOK_RETURN_IF_ERROR(CheckName(name));
    whole.total_bytes += made.total_bytes;
    if (made.is_folder) {
      root.folders.push_back({name, made.digest});
      table += fmt::format("  - folder: ./{}\n", name);
      continue;
    }
    const std::string file = made.file_name.empty() ? "data" : made.file_name;
    POTOK_RETURN_IF_ERROR(CheckName(file));
    Folder holder;
    holder.files.push_back({file, made.digest, false});
    root.folders.push_back({name, blobs.Add(EncodeFolder(std::move(holder)))});
    table += fmt::format("  - file: \"./{}/{}\"\n", name, file);
  }
  whole.total_bytes += static_cast<std::int64_t>(table.size());
  root.files.push_back({kTableFile, blobs.Add(std::move(table)), false});
  whole.digest = blobs.Add(EncodeFolder(std::move(root)));
  Snapshot snapshot;
  snapshot.artifact = whole;
  snapshot.blobs = blobs.Take();
  snapshot.file_count = static_cast<std::int64_t>(entries.size()) + 1;
  POTOK_RETURN_IF_ERROR(store.Put(snapshot));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, store.MissingOf(whole));
  if (missing.empty()) return whole;
  return absl::DataLossError(
      fmt::format("{} of the files that the items made are not in the store, for example {}",
                  missing.size(),
                  missing.front().Hex()));
}

OutputsComposed Compose(ArtifactStore& store, const ComposeOutputs& wanted) {
  OutputsComposed composed;
  composed.step = wanted.step;
  composed.status = ComposeAll(store, wanted, &composed.outputs);
  return composed;
}

}  // namespace potok::server
