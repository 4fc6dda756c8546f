#include "agent/artifacts/stage_inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "agent/artifacts/step_folders.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) return absl::OkStatus();
  return absl::InternalError(
      fmt::format("could not make the folder {}: {}", path, std::strerror(errno)));
}

absl::Status Explain(const absl::Status& status, const std::string& what, const Artifact& of) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      fmt::format("could not fetch {} ({}, {}): {}",
                                  what,
                                  of.digest.Hex().substr(0, 12),
                                  FormatBytes(of.total_bytes),
                                  std::string(status.message())));
}

// Fetches, and adds up what came from where. What a tree is made of besides files does not count.
absl::Status FetchOne(const Artifact& artifact,
                      const std::string& path,
                      CasClient& store,
                      BlobStore* cache,
                      Placing placing,
                      StagedBytes* staged) {
  std::atomic<std::int64_t> wanted_bytes = 0;
  const auto progress = [&](const TransferProgress& now) { wanted_bytes = now.bytes_total; };
  POTOK_RETURN_IF_ERROR(store.Fetch(artifact, path, cache, placing, progress));
  const std::int64_t fetched = std::min<std::int64_t>(wanted_bytes, artifact.total_bytes);
  staged->fetched += fetched;
  staged->found += artifact.total_bytes - fetched;
  return absl::OkStatus();
}

absl::Status FetchCode(const Artifact& code,
                       const AttemptPaths& paths,
                       CasClient& store,
                       BlobStore* cache,
                       StagedBytes* staged) {
  if (code.is_folder) {
    return FetchOne(code, paths.work(), store, cache, Placing::kCopy, staged);
  }
  POTOK_RETURN_IF_ERROR(MakeFolder(paths.work()));
  const std::string name = code.file_name.empty() ? "code" : code.file_name;
  return FetchOne(code, paths.work() + "/" + name, store, cache, Placing::kCopy, staged);
}

absl::Status FetchInput(const AttemptInput& input,
                        const AttemptPaths& paths,
                        CasClient& store,
                        BlobStore* cache,
                        StagedBytes* staged) {
  const auto& artifact = std::get<Artifact>(input.value);
  if (!artifact.is_folder) POTOK_RETURN_IF_ERROR(MakeFolder(paths.inputs() + "/" + input.name));
  const bool private_copy = input.mode == Mode::kDownload || input.mode == Mode::kEvalDownload ||
                            input.mode == Mode::kRwMount;
  const Placing placing = private_copy ? Placing::kCopy : Placing::kLink;
  return FetchOne(artifact, paths.Input(input), store, cache, placing, staged);
}

}  // namespace

absl::StatusOr<StagedBytes> StageInputs(const AttemptOrder& order,
                                        const AttemptPaths& paths,
                                        CasClient& store,
                                        BlobStore* cache) {
  StagedBytes staged;
  RemoveFolder(paths.inputs());
  RemoveFolder(paths.work());
  if (order.code) {
    POTOK_RETURN_IF_ERROR(
        Explain(FetchCode(*order.code, paths, store, cache, &staged), "the code", *order.code));
  }
  POTOK_RETURN_IF_ERROR(MakeFolder(paths.inputs()));
  for (const AttemptInput& input : order.inputs) {
    const Artifact* artifact = std::get_if<Artifact>(&input.value);
    if (artifact == nullptr) continue;
    POTOK_RETURN_IF_ERROR(Explain(FetchInput(input, paths, store, cache, &staged),
                                  fmt::format("the input \"{}\"", input.name),
                                  *artifact));
  }
  POTOK_RETURN_IF_ERROR(MakeStepFolders(order, paths));
  return staged;
}

}  // namespace potok::agent
