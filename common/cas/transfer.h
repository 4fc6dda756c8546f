// Many blobs between a store behind the network and the local disk, several at once: small ones in
// batches, large ones as streams. For .cc files only, because it reads gRPC. Blocks.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "common/cas/blob_store.h"
#include "common/cas/cas_calls.h"
#include "common/cas/cas_client.h"

namespace potok {

using ProgressCallback = std::function<void(const TransferProgress&)>;

// Sends those of `snapshot` that the store does not have. ABORTED if a file is no longer what was
// hashed.
absl::Status Send(CasCalls& calls,
                  const std::vector<SnapshotBlob>& snapshot,
                  int transfers,
                  const ProgressCallback& callback);

// Brings blobs into `into`, verified. What arrived before an error stays there.
absl::Status Receive(CasCalls& calls,
                     const std::vector<Digest>& digests,
                     BlobStore& into,
                     int transfers,
                     const ProgressCallback& callback);

}  // namespace potok
