#include "agent/artifacts/keep_outputs.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <variant>

#include "common/base/held_artifacts.h"

namespace potok::agent {
namespace {

bool IsLarge(const OutputValue& output) {
  const auto* artifact = std::get_if<Artifact>(&output.value);
  return artifact != nullptr && artifact->total_bytes >= kHeldArtifactBytesMin;
}

absl::Status Keep(const SnapshotBlob& blob, BlobStore& cache) {
  if (blob.content.index() == 0) return cache.Put(blob.digest, std::get<0>(blob.content));
  const std::string& path = std::get<1>(blob.content);
  const absl::Status adopted = cache.Adopt(blob.digest, path, blob.changed);
  // Of what was written a moment ago a copy is hashed again: that is small, or hashing had taken
  // longer.
  return absl::IsFailedPrecondition(adopted) ? cache.PutFile(blob.digest, path) : adopted;
}

}  // namespace

void KeepOutputs(const AttemptKey& key, const CollectedOutputs& outputs, BlobStore& cache) {
  if (std::none_of(outputs.values.begin(), outputs.values.end(), IsLarge)) return;
  for (const SnapshotBlob& blob : outputs.blobs.blobs) {
    const absl::Status kept = Keep(blob, cache);
    if (kept.ok()) continue;
    spdlog::info("outputs are not all kept attempt={} why=\"{}\"", ToString(key), kept.ToString());
    return;
  }
}

}  // namespace potok::agent
