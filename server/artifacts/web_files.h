// Files behind web addresses as artifacts of a store. Thread-safe; blocks on network and disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/digest.h"
#include "common/pipeline/spec.h"
#include "common/runtime/mutex.h"
#include "server/artifacts/artifact_store.h"
#include "server/artifacts/web_fetch.h"

namespace potok::server {

// Remembers what the addresses of late gave, as long as it lives, and fetches again only what their
// sources do not vouch for or the store does not have any more
// (docs/decisions/0012-inputs-from-the-web.md).
class WebFiles {
 public:
  // How many addresses are remembered.
  static constexpr std::size_t kRememberedMax = 1000;

  // `store` outlives this.
  WebFiles(ArtifactStore& store, WebOptions options)
      : store_(store), options_(std::move(options)) {}

  // The file at `url`, in the store. The source is asked every time. Errors of FetchFromWeb, but
  // FAILED_PRECONDITION for UNAVAILABLE and RESOURCE_EXHAUSTED: clients submit those again, and the
  // source has been tried. Errors of the store as they are.
  absl::StatusOr<Artifact> Find(const std::string& url, const std::function<bool()>& is_wanted);

 private:
  struct Remembered {
    WebFile file;
    std::int64_t used = 0;  // the greater, the later
  };
  std::optional<WebFile> Recall(const Digest& key);
  void Remember(const Digest& key, const WebFile& file);

  ArtifactStore& store_;
  const WebOptions options_;
  Mutex mutex_;
  // By the digest of the address: it may hold secrets.
  std::map<Digest, Remembered> remembered_ ABSL_GUARDED_BY(mutex_);
  std::int64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace potok::server
