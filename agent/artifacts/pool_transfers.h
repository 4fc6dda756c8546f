// Transfers on a few threads, from and to a content-addressed store.
#pragma once

#include <functional>
#include <memory>

#include "agent/artifacts/transfers.h"
#include "agent/domain/attempt.h"
#include "common/cas/cas_client.h"

namespace potok::agent {

class PoolTransfers final : public Transfers {
 public:
  struct Options {
    int threads = 4;
    // How long a store that does not answer is asked again before the attempt fails.
    absl::Duration patience_staging = absl::Hours(1);
    absl::Duration patience_storing = absl::Hours(24);
    // Of attempts of which it says so the runtime is prepared, too, by threads of their own: that
    // may take long. Empty: of none.
    std::function<bool(const AttemptOrder&)> needs_preparing = {};
    std::function<absl::StatusOr<PreparedRuntime>(
        const AttemptOrder&, const AttemptPaths&, const std::function<bool()>& canceled)>
        prepare = {};
    // Called before the folder of an attempt is removed; may block. Empty: nothing to do.
    std::function<void(const AttemptPaths&)> before_removal = {};
  };
  using Post = std::function<void(const AttemptKey&, AttemptEvent)>;

  // `store` and `cache` outlive this. `post` is called from its threads, never after the
  // destructor, which waits for what is being transferred.
  PoolTransfers(CasClient& store, BlobStore* cache, Options options, Post post);
  ~PoolTransfers() override;

  void Stage(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) override;
  void Store(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) override;
  void Remove(const AttemptPaths& paths) override;
  absl::Status MakeFolders(const AttemptOrder& order, const AttemptPaths& paths) override;
  bool HasDefaultArtifacts(const AttemptPaths& paths) override;
  void Cancel(const AttemptKey& key) override;

 private:
  class Pool;
  const Options options_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<Pool> preparing_;  // null if nothing ever needs it
};

}  // namespace potok::agent
