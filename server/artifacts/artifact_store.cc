#include "server/artifacts/artifact_store.h"

#include <grpcpp/channel.h>

#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/cas/tree.h"
#include "common/rpc/channel.h"

namespace potok::server {

namespace {

class Local final : public ArtifactStore {
 public:
  explicit Local(BlobStore& blobs) : blobs_(blobs) {}

  absl::StatusOr<std::vector<Digest>> MissingOf(const Artifact& artifact) override {
    return potok::MissingOf(blobs_, artifact);
  }
  absl::StatusOr<std::map<std::string, std::string>> List(const Artifact& folder) override {
    return ListTree(blobs_, folder);
  }
  absl::Status Put(const Snapshot& snapshot) override { return PutSnapshot(blobs_, snapshot); }
  absl::StatusOr<Folder> ReadFolder(const Digest& digest, int depth) override {
    POTOK_RETURN_IF_ERROR(CheckFolderSize(digest));
    POTOK_ASSIGN_OR_RETURN(const std::string bytes, blobs_.Read(digest));
    return DecodeFolder(bytes, depth);
  }
  absl::Status LayOver(const Artifact& artifact, const std::string& path) override {
    return LayOut(blobs_, artifact, path, /*replace=*/true);
  }
  BlobStore& arrivals() override { return blobs_; }
  absl::Status Keep(const Artifact& /*file*/) override { return absl::OkStatus(); }

 private:
  BlobStore& blobs_;
};

class Remote final : public ArtifactStore {
 public:
  Remote(const std::string& address, BlobStore& cache)
      : client_(MakeChannel(address)), cache_(cache) {}

  absl::StatusOr<std::vector<Digest>> MissingOf(const Artifact& artifact) override {
    return client_.MissingOf(artifact, cache_);
  }
  absl::StatusOr<std::map<std::string, std::string>> List(const Artifact& folder) override {
    return client_.List(folder, cache_);
  }
  absl::Status Put(const Snapshot& snapshot) override { return client_.Upload(snapshot); }
  absl::StatusOr<Folder> ReadFolder(const Digest& digest, int depth) override {
    POTOK_RETURN_IF_ERROR(CheckFolderSize(digest));
    POTOK_ASSIGN_OR_RETURN(const std::string bytes, client_.ReadBlob(digest, digest.size_bytes));
    return DecodeFolder(bytes, depth);
  }
  absl::Status LayOver(const Artifact& artifact, const std::string& path) override {
    return client_.FetchOver(artifact, path, cache_);
  }
  BlobStore& arrivals() override { return cache_; }
  absl::Status Keep(const Artifact& file) override {
    const BlobStore::Pin pin = cache_.PinAll({file.digest});
    POTOK_ASSIGN_OR_RETURN(const std::string path, cache_.PathOf(file.digest));
    Snapshot snapshot;
    snapshot.artifact = file;
    snapshot.blobs.push_back(
        {file.digest, decltype(SnapshotBlob::content)(std::in_place_index<1>, path)});
    return client_.Upload(snapshot);
  }

 private:
  CasClient client_;
  BlobStore& cache_;
};

}  // namespace

std::unique_ptr<ArtifactStore> LocalArtifacts(BlobStore& blobs) {
  return std::make_unique<Local>(blobs);
}

std::unique_ptr<ArtifactStore> RemoteArtifacts(const std::string& address, BlobStore& cache) {
  return std::make_unique<Remote>(address, cache);
}

}  // namespace potok::server
