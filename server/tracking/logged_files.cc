#include "server/tracking/logged_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_split.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/rpc/utf8.h"
#include "fmt/format.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

namespace {

// PostgreSQL's index holds 2704 bytes with the holder's name.
constexpr std::size_t kPathBytesMax = 1000;

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool IsGoodPart(const std::string& part) {
  return !part.empty() && part != "." && part != ".." && part.find('\0') == std::string::npos;
}

}  // namespace

absl::StatusOr<LoggedName> ParseLoggedName(const std::string& name) {
  std::string plain = name;
  while (!plain.empty() && plain.back() == '/') plain.pop_back();
  const std::vector<std::string> parts = absl::StrSplit(plain, '/');
  if (plain.size() > kPathBytesMax || AsUtf8(plain) != plain ||
      !std::ranges::all_of(parts, IsGoodPart)) {
    return absl::InvalidArgumentError(
        fmt::format("Invalid path '{}': it is RUN/NAME/..., at most {} bytes of UTF-8, without "
                    "empty parts, '.' and '..'",
                    AsUtf8(name.substr(0, 200)),
                    kPathBytesMax));
  }
  const std::size_t slash = plain.find('/');
  if (slash == std::string::npos) return LoggedName{plain, ""};
  return LoggedName{plain.substr(0, slash), plain.substr(slash + 1)};
}

absl::Status LoggedFiles::MayWrite(const MlflowCaller& caller, const LoggedName& name) {
  if (!caller.has_value()) {
    return absl::PermissionDeniedError("only a step logs files; the server's own token reads");
  }
  if (name.path.empty()) return absl::InvalidArgumentError("The file needs a name");
  if (name.holder == ToString(caller->attempt)) return absl::OkStatus();
  AttemptKey owner;
  if (name.holder.rfind("m-", 0) == 0) {
    POTOK_ASSIGN_OR_RETURN(const LoggedModel model, store_.GetModel(name.holder));
    owner = model.attempt;
  } else {
    POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, store_.Get({name.holder, {}}));
    if (run.run.is_child) owner = run.run.attempt;
  }
  if (owner == caller->attempt) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("the step '{}' of run '{}' may not log files there: a step logs to its own run, "
                  "and to runs and models that it makes",
                  caller->step,
                  caller->run));
}

absl::StatusOr<std::unique_ptr<BlobStore::Intake>> LoggedFiles::Begin() {
  return artifacts_.arrivals().BeginIntake();
}

absl::Status LoggedFiles::Put(const MlflowCaller& caller,
                              const LoggedName& name,
                              BlobStore::Intake& bytes) {
  POTOK_RETURN_IF_ERROR(MayWrite(caller, name));
  LoggedArtifact logged;
  logged.holder = name.holder;
  logged.path = name.path;
  POTOK_ASSIGN_OR_RETURN(logged.digest, bytes.Finish());
  Artifact file;
  file.digest = logged.digest;
  file.file_name = BaseName(name.path);
  POTOK_RETURN_IF_ERROR(artifacts_.Keep(file));
  logged.run = caller->attempt.run;
  logged.logged_ms = NowMs();
  return store_.PutArtifact(logged);
}

absl::StatusOr<LoggedFiles::OpenFile> LoggedFiles::Open(const LoggedName& name) {
  POTOK_ASSIGN_OR_RETURN(const LoggedArtifact logged, store_.GetArtifact(name.holder, name.path));
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  // Laid out under a name that nobody knows, and open when the name goes.
  const std::string path = folder_ + "/" + RandomId(16);
  Artifact file;
  file.digest = logged.digest;
  file.file_name = BaseName(name.path);
  POTOK_RETURN_IF_ERROR(artifacts_.LayOver(file, path));
  OpenFile out;
  out.size_bytes = logged.digest.size_bytes;
  out.descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int why = errno;
  unlink(path.c_str());
  if (out.descriptor >= 0) return out;
  return absl::UnavailableError(
      fmt::format("opening the logged file {}: {}", name.path, std::strerror(why)));
}

absl::StatusOr<std::vector<LoggedEntry>> LoggedFiles::List(const LoggedName& folder) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<LoggedArtifact> files,
                         store_.ListArtifacts(folder.holder, folder.path));
  return EntriesOf(files, folder.path);
}

std::vector<LoggedEntry> EntriesOf(const std::vector<LoggedArtifact>& files,
                                   const std::string& folder) {
  const std::size_t begin = folder.empty() ? 0 : folder.size() + 1;
  std::vector<LoggedEntry> entries;
  for (const LoggedArtifact& file : files) {
    const std::size_t slash = file.path.find('/', begin);
    if (slash == std::string::npos) {
      entries.push_back({file.path.substr(begin), false, file.digest.size_bytes});
      continue;
    }
    LoggedEntry entry{file.path.substr(begin, slash - begin), true, 0};
    const bool is_known = std::ranges::any_of(entries, [&](const LoggedEntry& other) {
      return other.is_folder && other.name == entry.name;
    });
    if (!is_known) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace potok::server
