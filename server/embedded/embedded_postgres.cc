#include "server/embedded/embedded_postgres.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/embedded/child_program.h"
#include "server/embedded/postgres_config.h"
#include "server/embedded/postgres_user.h"

namespace potok::server {

namespace fs = std::filesystem;

namespace {

// Recovery after a crash reads up to max_wal_size.
constexpr absl::Duration kAnswerMax = absl::Minutes(5);
// A postmaster that was killed leaves children that hold its shared memory for some seconds
// (measured: 1.2 to 2.1 s).
constexpr absl::Duration kPredecessorMax = absl::Seconds(30);

// One start or stop at a time, of whichever process.
class FolderLock {
 public:
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder) {
    const std::string file = folder + "/lock";
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
      return absl::InternalError(fmt::format("cannot lock {}: {}", file, std::strerror(errno)));
    }
    return std::unique_ptr<FolderLock>(new FolderLock(fd));
  }
  ~FolderLock() { close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  const int fd_;
};

std::string FirstLine(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

class Cluster final : public EmbeddedPostgres {
 public:
  Cluster(const std::string& folder, PostgresUser user)
      : folder_(folder),
        data_(folder + "/data"),
        socket_(SocketFolder(folder)),
        log_(folder + "/postgres.log"),
        url_(fmt::format("host={} port=5432 user={} dbname=postgres", socket_, kRole)),
        user_(std::move(user)) {}

  const std::string& url() const override { return url_; }
  absl::Status EnsureRunning() override { return IsAnswering() ? absl::OkStatus() : BringUp(); }
  absl::Status Stop() override;

  // Makes what is missing and starts what does not run.
  absl::Status BringUp();

 private:
  absl::Status MakeLog();
  absl::Status MakeData();
  absl::Status StartPostmaster();
  absl::Status AwaitAnswer();
  bool IsAnswering() const { return PQping(url_.c_str()) == PQPING_OK; }

  const std::string folder_;
  const std::string data_;
  const std::string socket_;
  const std::string log_;
  const std::string url_;
  const PostgresUser user_;
  std::string programs_;
};

// The postmaster must be able to write what we open first.
absl::Status Cluster::MakeLog() {
  const int fd = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool made = fd >= 0 && fchown(fd, user_.uid, user_.gid) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (made) return absl::OkStatus();
  return absl::InternalError(fmt::format("cannot make {}: {}", log_, std::strerror(error)));
}

absl::Status Cluster::MakeData() {
  const std::string version = FirstLine(data_ + "/PG_VERSION");
  POTOK_ASSIGN_OR_RETURN(programs_, FindPostgresPrograms(version));
  if (!version.empty()) return absl::OkStatus();
  // Made under another name, so that one that a crash left unfinished is never taken for whole.
  const std::string made = data_ + ".new";
  std::error_code error;
  fs::remove_all(made, error);
  POTOK_RETURN_IF_ERROR(RunProgram(As(user_,
                                      {programs_ + "/initdb",
                                       "--pgdata=" + made,
                                       std::string("--username=") + kRole,
                                       "--auth=peer",
                                       "--no-locale",
                                       "--encoding=UTF8"}),
                                   log_));
  {
    std::ofstream config(made + "/postgresql.conf", std::ios::app);
    config << "\ninclude = 'potok.conf'\n";
    config.close();
    if (!config) return absl::InternalError(fmt::format("cannot write {}/postgresql.conf", made));
  }
  fs::rename(made, data_, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(
      fmt::format("cannot rename {} to {}: {}", made, data_, error.message()));
}

absl::Status Cluster::StartPostmaster() {
  POTOK_RETURN_IF_ERROR(WriteConfig(data_, socket_, user_));
  const std::vector<std::string> start = As(user_,
                                            {programs_ + "/pg_ctl",
                                             "start",
                                             "--pgdata=" + data_,
                                             "--log=" + log_,
                                             "--wait",
                                             "--timeout=300"});
  const absl::Time deadline = absl::Now() + kPredecessorMax;
  while (true) {
    const absl::Status status = RunProgram(start, log_);
    const bool in_use = absl::StrContains(status.message(), "still in use");
    if (!in_use || absl::Now() > deadline) return status;
    absl::SleepFor(absl::Milliseconds(200));
  }
}

absl::Status Cluster::AwaitAnswer() {
  const absl::Time deadline = absl::Now() + kAnswerMax;
  while (!IsAnswering()) {
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          fmt::format("PostgreSQL in {} did not answer within {}; "
                      "see {}",
                      data_,
                      absl::FormatDuration(kAnswerMax),
                      log_));
    }
    const std::vector<std::string> status = {programs_ + "/pg_ctl", "status", "--pgdata=" + data_};
    if (RunProgram(As(user_, status), "/dev/null").ok()) {
      absl::SleepFor(absl::Milliseconds(20));  // it is coming up
    } else {
      POTOK_RETURN_IF_ERROR(StartPostmaster());
    }
  }
  return absl::OkStatus();
}

absl::Status Cluster::BringUp() {
  POTOK_RETURN_IF_ERROR(MakeFolder(folder_, user_));
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(folder_));
  POTOK_RETURN_IF_ERROR(MakeFolder(socket_, user_));
  POTOK_RETURN_IF_ERROR(MakeLog());
  POTOK_RETURN_IF_ERROR(MakeData());
  return AwaitAnswer();
}

absl::Status Cluster::Stop() {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock, FolderLock::Take(folder_));
  POTOK_RETURN_IF_ERROR(RunProgram(As(user_,
                                      {programs_ + "/pg_ctl",
                                       "stop",
                                       "--pgdata=" + data_,
                                       "--mode=fast",
                                       "--wait",
                                       "--timeout=300"}),
                                   log_));
  std::error_code ignored;
  fs::remove(socket_, ignored);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedPostgres>> EmbeddedPostgres::Start(
    const std::string& folder) {
  std::error_code error;
  fs::path absolute = fs::absolute(folder, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  POTOK_ASSIGN_OR_RETURN(PostgresUser user, FindPostgresUser());
  auto cluster = std::make_unique<Cluster>(absolute.string(), std::move(user));
  POTOK_RETURN_IF_ERROR(cluster->BringUp());
  return std::unique_ptr<EmbeddedPostgres>(std::move(cluster));
}

}  // namespace potok::server
