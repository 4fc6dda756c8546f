#include "server/artifacts/web_files.h"

#include <algorithm>

#include "common/base/status_macros.h"

namespace potok::server {

namespace {

absl::Status AsFinal(const absl::Status& status) {
  if (!absl::IsUnavailable(status) && !absl::IsResourceExhausted(status)) return status;
  return absl::FailedPreconditionError(status.message());
}

}  // namespace

absl::StatusOr<Artifact> WebFiles::Find(const std::string& url,
                                        const std::function<bool()>& is_wanted) {
  const Digest key = DigestOf(url);
  std::optional<WebFile> known = Recall(key);
  if (known.has_value()) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, store_.MissingOf(known->artifact));
    if (!missing.empty()) known.reset();
  }
  const WebFile* condition = known.has_value() ? &*known : nullptr;
  const auto file = FetchFromWeb(url, options_, store_.arrivals(), condition, is_wanted);
  if (!file.ok()) return AsFinal(file.status());
  if (!known.has_value() || known->artifact != file->artifact) {
    POTOK_RETURN_IF_ERROR(store_.Keep(file->artifact));
  }
  Remember(key, *file);
  return file->artifact;
}

std::optional<WebFile> WebFiles::Recall(const Digest& key) {
  const MutexLock lock(mutex_);
  const auto it = remembered_.find(key);
  return it == remembered_.end() ? std::nullopt : std::optional(it->second.file);
}

void WebFiles::Remember(const Digest& key, const WebFile& file) {
  const MutexLock lock(mutex_);
  if (file.condition.empty()) {
    remembered_.erase(key);
    return;
  }
  remembered_[key] = {file, ++uses_};
  if (remembered_.size() <= kRememberedMax) return;
  remembered_.erase(std::ranges::min_element(
      remembered_, {}, [](const auto& entry) { return entry.second.used; }));
}

}  // namespace potok::server
