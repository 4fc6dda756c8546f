// P10: files on their way into the server's store and out of it again.
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/cas/snapshot.h"
#include "fmt/format.h"
#include "tests/bench/machine.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

namespace fs = std::filesystem;

// Files of random bytes in a folder; which they are differs from round to round, since a store that
// has them already takes nothing.
struct FileSet {
  std::string folder;
  int files = 1;
  std::int64_t file_bytes = 0;

  double megabytes() const {
    return static_cast<double>(files) * static_cast<double>(file_bytes) / 1e6;
  }
  std::string path(int file) const { return fmt::format("{}/{}", folder, file); }
};

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::UnavailableError(fmt::format("cannot {} {}: {}", what, path, strerror(errno)));
}

// Random where the file is made, and then new in its first bytes.
absl::Status Renew(const FileSet& set) {
  static std::mt19937_64 random(std::random_device{}());
  fs::create_directories(set.folder);
  for (int i = 0; i < set.files; ++i) {
    std::error_code error;
    const bool is_new =
        fs::file_size(set.path(i), error) != static_cast<std::uintmax_t>(set.file_bytes);
    std::fstream file(set.path(i),
                      is_new ? std::ios::out | std::ios::trunc : std::ios::in | std::ios::out);
    std::vector<std::uint64_t> words(512);
    for (std::int64_t at = 0; at < (is_new ? set.file_bytes : 8); at += 4096) {
      for (std::uint64_t& word : words) word = random();
      const std::int64_t size = is_new ? std::min<std::int64_t>(4096, set.file_bytes - at) : 8;
      file.write(reinterpret_cast<const char*>(words.data()), size);
    }
    if (!file.flush()) return Failed("write", set.path(i));
  }
  sync();  // so that nobody pays for it later
  return absl::OkStatus();
}

absl::Status CopyFile(const std::string& from, const std::string& to, bool syncs) {
  const int in = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  const int out = open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  struct stat status = {};
  bool ok = in >= 0 && out >= 0 && fstat(in, &status) == 0;
  for (std::int64_t left = status.st_size; ok && left > 0;) {
    const ssize_t sent = sendfile(out, in, nullptr, static_cast<std::size_t>(left));
    ok = sent > 0;
    left -= sent;
  }
  ok = ok && (!syncs || fsync(out) == 0);
  const absl::Status result = ok ? absl::OkStatus() : Failed("copy", from);
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  return result;
}

// A large file is synced by itself, many small ones by their disk, as a careful person would.
absl::StatusOr<Measure> CopyAndSync(const FileSet& set) {
  const std::string target = set.folder + ".copy";
  POTOK_RETURN_IF_ERROR(Renew(set));
  fs::create_directories(target);
  const double began = NowMicros();
  for (int i = 0; i < set.files; ++i) {
    POTOK_RETURN_IF_ERROR(CopyFile(set.path(i), fmt::format("{}/{}", target, i), set.files == 1));
  }
  const int folder = open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = set.files == 1 ? fsync(folder) == 0 : syncfs(folder) == 0;
  close(folder);
  const Measure measure{NowMicros() - began};
  fs::remove_all(target);
  if (!synced) return Failed("sync", target);
  return measure;
}

// The rate at which one CPU hashes as many bytes in memory.
absl::StatusOr<Measure> Hash(const FileSet& set) {
  const std::string block(1 << 20, 'x');
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const double began = NowMicros();
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  const double blocks = set.megabytes() * 1e6 / static_cast<double>(block.size());
  for (double i = 0; i < blocks; ++i) EVP_DigestUpdate(context.get(), block.data(), block.size());
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context.get(), digest, nullptr);
  return Measure{NowMicros() - began};
}

absl::StatusOr<Snapshot> SnapshotOf(const FileSet& set) {
  return set.files == 1 ? SnapshotFile(set.path(0)) : SnapshotFolder(set.folder, {});
}

absl::StatusOr<Measure> Upload(Stack& stack, const FileSet& set, double units, Artifact* stored) {
  POTOK_RETURN_IF_ERROR(Renew(set));
  CasClient client(stack.channel());
  const StackCpu before = stack.ReadCpu();
  const double own_before = CpuMicrosOf(getpid());
  const double began = NowMicros();
  POTOK_ASSIGN_OR_RETURN(const Snapshot snapshot, SnapshotOf(set));
  POTOK_RETURN_IF_ERROR(client.Upload(snapshot));
  Measure measure{NowMicros() - began};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), units);
  measure.cpu_us["client"] = (CpuMicrosOf(getpid()) - own_before) / units;
  *stored = snapshot.artifact;
  return measure;
}

absl::StatusOr<Measure> Download(Stack& stack,
                                 const FileSet& set,
                                 double units,
                                 const Artifact& stored) {
  const std::string target = set.folder + ".fetched";
  CasClient client(stack.channel());
  sync();
  const StackCpu before = stack.ReadCpu();
  const double own_before = CpuMicrosOf(getpid());
  const double began = NowMicros();
  POTOK_RETURN_IF_ERROR(client.Fetch(stored, target, nullptr, Placing::kCopy));
  Measure measure{NowMicros() - began};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), units);
  measure.cpu_us["client"] = (CpuMicrosOf(getpid()) - own_before) / units;
  fs::remove_all(target);
  return measure;
}

Contest TransferContest(const FileSet& set, const std::string& unit, Stack& stack) {
  const double units = set.files == 1 ? set.megabytes() : set.files;
  Contest contest{
      "P10",
      fmt::format("{} file(s) of {} bytes, hashed and durable", set.files, set.file_bytes),
      units,
      unit,
      {RateColumn(unit + "s/s")}};
  if (unit == "MB") contest.columns = {RateColumn("MB/s")};
  const auto stored = std::make_shared<Artifact>();
  contest.contestants.push_back({"copy with sync", [set] { return CopyAndSync(set); }});
  contest.contestants.push_back({"SHA-256 alone", [set] { return Hash(set); }});
  contest.contestants.push_back({"Potok, up", [&stack, set, units, stored] {
                                   return Upload(stack, set, units, stored.get());
                                 }});
  contest.contestants.push_back({"Potok, down", [&stack, set, units, stored] {
                                   return Download(stack, set, units, *stored);
                                 }});
  return contest;
}

}  // namespace

std::vector<Contest> ArtifactsContests(const WorkloadOptions& options, Stack& stack) {
  const FileSet large{options.folder + "/large", 1, options.artifact_bytes};
  const FileSet small{options.folder + "/small", options.artifact_files, 4096};
  return {TransferContest(large, "MB", stack), TransferContest(small, "file", stack)};
}

}  // namespace potok::bench
