#include "client/potok_client/upload.h"

#include <filesystem>

#include "common/base/status_macros.h"
#include "common/cas/ignore.h"
#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

absl::StatusOr<Snapshot> SnapshotOfPath(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return SnapshotFile(path);
  SnapshotOptions options;
  // Data sets are often folders of links to where the bytes are.
  options.follow_symlinks = true;
  return SnapshotFolder(path, options);
}

absl::StatusOr<Snapshot> SnapshotOfCode(const LocalCode& code) {
  SnapshotOptions options;
  options.follow_symlinks = true;
  options.additional_includes = code.additional_includes;
  if (!code.path.empty() && !std::filesystem::is_directory(code.path)) {
    // A single file as code is a folder that holds it.
    options.additional_includes.insert(options.additional_includes.begin(), code.path);
    return SnapshotFolder("", options);
  }
  if (!code.path.empty()) {
    POTOK_ASSIGN_OR_RETURN(options.ignored, IgnoreRulesOf(code.path));
  }
  return SnapshotFolder(code.path, options);
}

absl::Status About(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      fmt::format("cannot upload {}: {}", path, std::string(status.message())));
}

absl::StatusOr<Artifact> Stored(const std::string& path,
                                const absl::StatusOr<Snapshot>& snapshot,
                                const StoreSnapshot& store) {
  if (!snapshot.ok()) return About(path, snapshot.status());
  if (const absl::Status stored = store(path, *snapshot); !stored.ok()) {
    return About(path, stored);
  }
  return snapshot->artifact;
}

// Remembers what was stored, so that nothing is read twice.
class Uploads {
 public:
  explicit Uploads(const StoreSnapshot& store) : store_(store) {}

  absl::Status Replace(std::vector<Input>& inputs) {
    for (Input& input : inputs) {
      const LocalPath* local = std::get_if<LocalPath>(&input.value);
      if (local == nullptr) continue;
      const std::string path = local->path;
      const auto known = paths_.find(path);
      if (known == paths_.end()) {
        POTOK_ASSIGN_OR_RETURN(paths_[path], StorePath(path, store_));
      }
      input.value = paths_[path];
    }
    return absl::OkStatus();
  }

  absl::Status Replace(std::vector<Step>& steps) {
    for (Step& step : steps) {
      POTOK_RETURN_IF_ERROR(Replace(step.inputs));
      POTOK_RETURN_IF_ERROR(Replace(step.code));
      if (step.control == nullptr || step.control->body.empty()) continue;
      auto control = std::make_shared<Control>(*step.control);
      POTOK_RETURN_IF_ERROR(Replace(control->body));
      step.control = std::move(control);
    }
    return absl::OkStatus();
  }

  absl::Status Replace(Code& code) {
    const LocalCode* local = std::get_if<LocalCode>(&code);
    if (local == nullptr) return absl::OkStatus();
    const auto key = std::make_pair(local->path, local->additional_includes);
    if (!codes_.contains(key)) {
      POTOK_ASSIGN_OR_RETURN(codes_[key], StoreCode(*local, store_));
    }
    code = codes_[key];
    return absl::OkStatus();
  }

 private:
  const StoreSnapshot& store_;
  std::map<std::string, Artifact> paths_;
  std::map<std::pair<std::string, std::vector<std::string>>, Artifact> codes_;
};

}  // namespace

absl::StatusOr<Artifact> StorePath(const std::string& path, const StoreSnapshot& store) {
  return Stored(path, SnapshotOfPath(path), store);
}

absl::StatusOr<Artifact> StoreCode(const LocalCode& code, const StoreSnapshot& store) {
  return Stored(code.path.empty() ? "additional_includes" : code.path, SnapshotOfCode(code), store);
}

absl::StatusOr<Artifact> ContentOfCode(const LocalCode& code) {
  POTOK_ASSIGN_OR_RETURN(const Snapshot snapshot, SnapshotOfCode(code));
  return snapshot.artifact;
}

absl::Status UploadLocal(PipelineSpec* spec, const StoreSnapshot& store) {
  Uploads uploads(store);
  POTOK_RETURN_IF_ERROR(uploads.Replace(spec->inputs));
  return uploads.Replace(spec->steps);
}

}  // namespace potok::client
