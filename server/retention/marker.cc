#include "server/retention/marker.h"

#include <algorithm>
#include <vector>

#include "common/base/status_macros.h"
#include "common/cas/folder.h"

namespace potok::server {

bool Marker::IsNew(const Digest& folder) {
  Key key;
  std::copy_n(folder.sha256.begin(), key.size(), key.begin());
  return seen_.insert(key).second;
}

absl::Status Marker::Mark(const Artifact& artifact) {
  marks_.Add(artifact.digest);
  if (!artifact.is_folder || !IsNew(artifact.digest)) return absl::OkStatus();
  std::vector<Digest> next = {artifact.digest};
  while (!next.empty()) {
    const Digest folder = next.back();
    next.pop_back();
    const auto bytes = blobs_.ReadUnnoticed(folder);
    if (absl::IsNotFound(bytes.status())) continue;
    POTOK_RETURN_IF_ERROR(bytes.status());
    for (const FolderEntry& entry : EntriesOf(*bytes)) {
      marks_.Add(entry.digest);
      if (entry.is_folder && IsNew(entry.digest)) next.push_back(entry.digest);
    }
  }
  return absl::OkStatus();
}

}  // namespace potok::server
