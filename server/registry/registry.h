// The rules of what is registered: who may have which version, what equal content is, what names
// mean. docs/decisions/0022-registered-documents.md.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/pipeline/asset_reference.h"
#include "server/artifacts/artifact_store.h"
#include "server/artifacts/datastore.h"
#include "server/store/assets.h"

namespace potok::server {

// What somebody registers.
struct NewAsset {
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;  // empty: the next number
  std::string document;
  std::string description;
  std::string display_name;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> properties;
  std::string created_by;
  std::string made_by;  // "RUN/STEP"
  std::string origin;   // of one act of creation, which then can be repeated; empty: a new one
};

struct CreatedAsset {
  AssetRow row;
  bool is_new = false;
};

// Which version is meant: exactly, or by a label; neither: "latest".
struct AssetChoice {
  AssetKind kind = AssetKind::kComponent;
  std::string name;
  std::string version;
  std::string label;
};

// The artifact that azureml://jobs/... or runs:/... names.
using FindRunOutput = std::function<absl::StatusOr<Artifact>(const std::string& uri)>;

// Thread-safe; blocks on the database and the store of artifacts. Messages are for users.
class Registry {
 public:
  // All references outlive this.
  Registry(AssetStore& assets,
           ArtifactStore& artifacts,
           Datastores& datastores,
           FindRunOutput find_output,
           const Clock& clock)
      : assets_(assets),
        artifacts_(artifacts),
        datastores_(datastores),
        find_output_(std::move(find_output)),
        clock_(clock) {}

  // A path that names the output of a run becomes the artifact. INVALID_ARGUMENT;
  // FAILED_PRECONDITION if bytes are not in the store; ALREADY_EXISTS, with every difference on a
  // line, if the version has other content; the version itself if it has the same.
  absl::StatusOr<CreatedAsset> Create(NewAsset asset);

  // NOT_FOUND names what there is. INVALID_ARGUMENT if both version and label are given.
  absl::StatusOr<AssetRow> Get(const AssetChoice& choice);
  absl::StatusOr<std::vector<AssetRow>> List(const AssetFilter& filter);

  // `change.modified_us` is set here. INVALID_ARGUMENT for "latest" among the labels.
  absl::StatusOr<AssetRow> Update(const AssetChoice& choice,
                                  AssetChange change,
                                  const std::vector<std::string>& add_labels,
                                  const std::vector<std::string>& remove_labels);

  // One version, or without version and label all of the name. How many were not so before.
  absl::StatusOr<int> SetArchived(const AssetChoice& choice, bool archived);

  // What azureml:NAME:VERSION and the like names (asset_reference.h).
  absl::StatusOr<AssetRow> Resolve(AssetKind kind, const std::string& reference);

  // Registers every datastore that there is on the disk.
  absl::Status AdoptDatastores();

 private:
  // The document as it is kept: paths of data checked, or replaced by what they name.
  absl::Status Settle(NewAsset* asset);
  absl::Status SettlePath(NewAsset* asset);
  absl::Status CheckArtifacts(const std::vector<std::string>& artifacts);
  // Compares with the version that is there.
  absl::StatusOr<CreatedAsset> MeetExisting(const NewAsset& asset);
  absl::Status Conflict(const NewAsset& asset, const AssetRow& row);
  absl::Status NoSuch(const AssetChoice& choice);

  AssetStore& assets_;
  ArtifactStore& artifacts_;
  Datastores& datastores_;
  const FindRunOutput find_output_;
  const Clock& clock_;
};

}  // namespace potok::server
