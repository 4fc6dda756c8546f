#include "agent/artifacts/stage_inputs.h"

#include <sys/stat.h>

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

absl::Status FetchCode(const Artifact& code,
                       const AttemptPaths& paths,
                       CasClient& store,
                       BlobStore* cache) {
  if (code.is_folder) return store.Fetch(code, paths.work(), cache, Placing::kCopy);
  POTOK_RETURN_IF_ERROR(MakeFolder(paths.work()));
  const std::string name = code.file_name.empty() ? "code" : code.file_name;
  return store.Fetch(code, paths.work() + "/" + name, cache, Placing::kCopy);
}

absl::Status FetchInput(const AttemptInput& input,
                        const AttemptPaths& paths,
                        CasClient& store,
                        BlobStore* cache) {
  const auto& artifact = std::get<Artifact>(input.value);
  if (!artifact.is_folder) POTOK_RETURN_IF_ERROR(MakeFolder(paths.inputs() + "/" + input.name));
  const bool private_copy = input.mode == Mode::kDownload || input.mode == Mode::kEvalDownload ||
                            input.mode == Mode::kRwMount;
  return store.Fetch(
      artifact, paths.Input(input), cache, private_copy ? Placing::kCopy : Placing::kLink);
}

}  // namespace

absl::Status StageInputs(const AttemptOrder& order,
                         const AttemptPaths& paths,
                         CasClient& store,
                         BlobStore* cache) {
  RemoveFolder(paths.inputs());
  RemoveFolder(paths.work());
  if (order.code) {
    POTOK_RETURN_IF_ERROR(
        Explain(FetchCode(*order.code, paths, store, cache), "the code", *order.code));
  }
  POTOK_RETURN_IF_ERROR(MakeFolder(paths.inputs()));
  for (const AttemptInput& input : order.inputs) {
    const Artifact* artifact = std::get_if<Artifact>(&input.value);
    if (artifact == nullptr) continue;
    POTOK_RETURN_IF_ERROR(Explain(FetchInput(input, paths, store, cache),
                                  fmt::format("the input \"{}\"", input.name),
                                  *artifact));
  }
  return MakeStepFolders(order, paths);
}

}  // namespace potok::agent
