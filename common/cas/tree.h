// Content-addressed folders straight from and to a blob store on the same disk, without the
// network.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"
#include "common/cas/snapshot.h"
#include "common/cas/tree_plan.h"

namespace potok {

// Every digest below (and including) an artifact's root that is not in `store`: Directory messages
// that are missing hide what is below them. Empty means that the artifact is whole.
absl::StatusOr<std::vector<Digest>> MissingOf(BlobStore& store, const Artifact& artifact);

// The same of any store, level by level: `missing` says which of some blobs are not there, `read`
// gives the bytes of folders that are.
using FindMissing = std::function<absl::StatusOr<std::vector<Digest>>(const std::vector<Digest>&)>;
absl::StatusOr<std::vector<Digest>> WalkMissing(const Artifact& artifact,
                                                const FindMissing& missing,
                                                const ReadFolders& read);

// What is at each path of a folder, in words that are equal where the things are: the digest of a
// file and whether it may be executed, or the target of a link. Empty for a file. NOT_FOUND for a
// folder that is missing, and as PlanTree (tree_plan.h).
using TreeListing = std::map<std::string, std::string>;
absl::StatusOr<TreeListing> ListTree(BlobStore& store, const Artifact& artifact);

// Lays an artifact at `path` out of `store`; the same rules as CasClient::Fetch. Replaces what is
// there when `replace` (a new folder is made beside it and swapped in).
absl::Status LayOut(BlobStore& store,
                    const Artifact& artifact,
                    const std::string& path,
                    bool replace);

// Puts all blobs of a snapshot into `store`.
absl::Status PutSnapshot(BlobStore& store, const Snapshot& snapshot);

}  // namespace potok
