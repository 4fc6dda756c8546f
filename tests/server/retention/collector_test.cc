// Collections over a real disk and a real PostgreSQL.
#include "server/retention/collector.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/time/clock.h"
#include "common/cas/tree.h"
#include "common/pipeline/artifact_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "potok/v1/pipeline.pb.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/common/cas/cas_testing.h"
#include "tests/server/store/changes.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr absl::Duration kLong = absl::Hours(48);  // longer than what is spared

bool GoOn(const Collected& /*now*/) {
  return true;
}

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() : url_(TemporaryPostgres::Shared().NewDatabase()) {
    auto opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
    blobs_ = OpenStore(folder_ / "blobs");
    logs_ = *LogStore::Open(folder_ / "logs");
  }

  Collector MakeCollector(absl::Duration retention = absl::InfiniteDuration()) {
    Collector::Parts parts;
    parts.store = bundle_.retention.get();
    parts.blobs = blobs_.get();
    parts.logs = logs_.get();
    parts.sources = sources_;
    parts.settle = [this] {
      return bundle_.projector->WaitFor(revision_, absl::Seconds(60), Haste::kNow);
    };
    parts.retention = retention;
    return Collector(std::move(parts));
  }

  Collected Collect(absl::Duration retention = absl::InfiniteDuration(), bool dry_run = false) {
    Collector collector = MakeCollector(retention);
    const auto collected = collector.Collect({.dry_run = dry_run}, GoOn);
    EXPECT_TRUE(collected.ok()) << collected.status();
    return collected.ok() ? *collected : Collected{};
  }

  // A folder of two levels with these texts, in the store; long unused.
  Artifact AFolder(const std::string& name) {
    const std::string path = folder_ / name;
    WriteFile(path + "/top.txt", "top of " + name);
    WriteFile(path + "/below/deep.txt", "deep in " + name);
    const auto snapshot = SnapshotFolder(path, {});
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_TRUE(PutSnapshot(*blobs_, *snapshot).ok());
    AgeAll();
    return snapshot->artifact;
  }
  Artifact AFile(const std::string& text) {
    EXPECT_TRUE(blobs_->Put(DigestOf(text), text).ok());
    AgeAll();
    return {DigestOf(text), false, 0, "file"};
  }

  // As if nobody had asked for any blob since long.
  void AgeAll() {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "blobs/blobs")) {
      if (!entry.is_regular_file()) continue;
      const timespec times[2] = {absl::ToTimespec(absl::Now() - kLong),
                                 {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
      ASSERT_EQ(utimensat(AT_FDCWD, entry.path().c_str(), times, 0), 0);
    }
  }

  bool IsWhole(const Artifact& artifact) {
    const auto missing = MissingOf(*blobs_, artifact);
    EXPECT_TRUE(missing.ok()) << missing.status();
    AgeAll();  // asking was a use
    return missing.ok() && missing->empty();
  }

  void Turn(std::vector<Change> changes) {
    Batch batch = {revision_ + 1, "us", std::move(changes)};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    ++revision_;
    bundle_.projector->Project(std::move(batch));
  }

  // A run of one step whose code is `code`; its log has some bytes.
  void AddRun(RunId id, const Artifact& code, std::int64_t retention_seconds = 0) {
    v1::PipelineSpec spec;
    spec.set_name("run-" + std::to_string(id));
    spec.mutable_settings()->set_retention_seconds(retention_seconds);
    v1::Artifact& wire = *spec.add_steps()->mutable_code();
    wire.mutable_digest()->set_hash(code.digest.Hex());
    wire.mutable_digest()->set_size_bytes(code.digest.size_bytes);
    wire.set_is_folder(code.is_folder);
    RunAdded run = ARun(id, 1);
    const std::string bytes = spec.SerializeAsString();
    run.spec = DigestOf(bytes);
    ASSERT_TRUE(bundle_.reader->PutSpec(run.spec, bytes).ok());
    Turn({run});
    ASSERT_TRUE(logs_->Append({id, 0, 1}, 0, "said\n").ok());
    logs_->Finish({id, 0, 1}, 5);
  }

  void Succeed(RunId id, const Artifact& output) {
    Turn({Move(id, 0, 1, Succeeded{1, {{"model", output}}}, absl::ToUnixMicros(absl::Now()))});
  }
  void End(RunId id, absl::Duration ago) {
    Turn({MoveRun(id, RunStatus::kCompleted, absl::ToUnixMicros(absl::Now() - ago))});
  }

  std::int64_t ForgottenSince(RunId id) {
    EXPECT_TRUE(bundle_.projector->WaitFor(revision_, absl::Seconds(60), Haste::kNow).ok());
    const auto run = bundle_.reader->GetRunById(id);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? run->forgotten_us : -1;
  }

  TemporaryFolder folder_;
  const std::string url_;
  StoreBundle bundle_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<LogStore> logs_;
  std::vector<RootSource*> sources_;
  std::int64_t revision_ = 0;
};

TEST_F(CollectorTest, KeepsWhatRunsNameWithAllThatIsBelow) {
  const Artifact code = AFolder("code");
  const Artifact output = AFolder("output");
  const Artifact nobodys = AFolder("nobodys");
  AddRun(1, code);
  Succeed(1, output);
  AgeAll();
  const Collected collected = Collect();
  EXPECT_TRUE(IsWhole(code));
  EXPECT_TRUE(IsWhole(output));
  EXPECT_THAT(blobs_->Missing({nobodys.digest}), ElementsAre(nobodys.digest));
  EXPECT_EQ(collected.phase, "done");
  EXPECT_EQ(collected.roots, 2);
  EXPECT_EQ(collected.folders, 4);
  EXPECT_EQ(collected.freed_blobs, 4);
  EXPECT_EQ(collected.spared_blobs, 0);
  EXPECT_EQ(collected.runs_ended, 0);
}

TEST_F(CollectorTest, OnlySaysWhatWouldGoInADryRun) {
  const Artifact nobodys = AFolder("nobodys");
  AddRun(1, AFile("code"));
  Succeed(1, AFile("output"));
  End(1, absl::Hours(2));
  const Collected would = Collect(absl::Hours(1), /*dry_run=*/true);
  EXPECT_EQ(would.runs_ended, 1);
  EXPECT_EQ(would.freed_blobs, 5);
  EXPECT_EQ(would.freed_logs, 1);
  EXPECT_TRUE(IsWhole(nobodys));
  EXPECT_EQ(ForgottenSince(1), 0);
  EXPECT_EQ(logs_->SizeOf({1, 0, 1}), 5);
  const Collected did = Collect(absl::Hours(1));
  EXPECT_EQ(did.freed_blobs, would.freed_blobs);
  EXPECT_EQ(did.freed_bytes, would.freed_bytes);
  EXPECT_EQ(did.freed_log_bytes, would.freed_log_bytes);
}

TEST_F(CollectorTest, SparesWhatWasUsedLately) {
  const Artifact old_one = AFile("old");
  const Artifact asked_for = AFile("asked for");
  EXPECT_TRUE(blobs_->Contains(asked_for.digest));
  const Collected collected = Collect();
  EXPECT_EQ(collected.freed_blobs, 1);
  EXPECT_EQ(collected.spared_blobs, 1);
  EXPECT_EQ(collected.spared_bytes, 9);
  EXPECT_THAT(blobs_->Missing({old_one.digest, asked_for.digest}), ElementsAre(old_one.digest));
}

TEST_F(CollectorTest, EndsTheRetentionOfRunsAndForgetsOutputsAndLogsButNotTheirCode) {
  const Artifact code = AFolder("code");
  const Artifact output = AFolder("output");
  const Artifact shared = AFolder("shared");
  AddRun(1, code);
  Succeed(1, output);
  End(1, absl::Hours(30));
  AddRun(2, code, /*retention_seconds=*/-1);  // for ever
  Succeed(2, shared);
  End(2, absl::Hours(30));
  AddRun(3, code);
  Succeed(3, shared);
  End(3, absl::Hours(20));
  AddRun(4, code);
  Succeed(4, AFile("of a run that goes on"));

  const Collected collected = Collect(absl::Hours(24));
  EXPECT_EQ(collected.runs_ended, 1);
  EXPECT_EQ(collected.freed_logs, 1);
  EXPECT_FALSE(IsWhole(output));
  EXPECT_TRUE(IsWhole(code));
  EXPECT_TRUE(IsWhole(shared));
  EXPECT_EQ(logs_->SizeOf({1, 0, 1}), 0);
  EXPECT_EQ(logs_->SizeOf({2, 0, 1}), 5);
  EXPECT_THAT(*logs_->Runs(), ElementsAre(2, 3, 4));
  EXPECT_GT(ForgottenSince(1), absl::ToUnixMicros(absl::Now() - absl::Hours(1)));
  for (const RunId kept : {2, 3, 4}) EXPECT_EQ(ForgottenSince(kept), 0);
}

// Both are looked up beside a run's own row.
TEST_F(CollectorTest, DoesNotTakeArchivedRunsForForgottenOnes) {
  for (const RunId run : {1, 2}) {
    AddRun(run, AFile("code"));
    End(run, absl::Hours(run == 1 ? 2 : 0));
  }
  EXPECT_EQ(Collect(absl::Hours(1)).runs_ended, 1);
  TemporaryPostgres::Shared().Query(
      url_, "INSERT INTO run_edits (run, archived, added) SELECT id, true, added FROM runs");
  const auto forgotten = bundle_.reader->GetRun("run-1");
  const auto kept = bundle_.reader->GetRun("run-2");
  ASSERT_TRUE(forgotten.ok() && kept.ok());
  EXPECT_TRUE(forgotten->archived && kept->archived);
  EXPECT_GT(forgotten->forgotten_us, 1'000'000);
  EXPECT_EQ(kept->forgotten_us, 0);
}

TEST_F(CollectorTest, TakesARunsOwnRetentionBeforeTheServers) {
  AddRun(1, AFile("code"), /*retention_seconds=*/3600);
  Succeed(1, AFile("output"));
  End(1, absl::Hours(2));
  EXPECT_EQ(Collect().runs_ended, 1);
  EXPECT_NE(ForgottenSince(1), 0);
}

TEST_F(CollectorTest, ForgetsARunOnceAndForAll) {
  AddRun(1, AFile("code"));
  End(1, absl::Hours(2));
  Collect(absl::Hours(1));
  const std::int64_t since = ForgottenSince(1);
  // Also where it is to be kept longer now.
  EXPECT_EQ(Collect(absl::Hours(10)).runs_ended, 0);
  EXPECT_EQ(ForgottenSince(1), since);
}

class FixedSource : public RootSource {
 public:
  absl::Status ForEach(const SeeArtifact& see) override {
    if (!status.ok()) return status;
    for (const Artifact& root : roots) {
      if (absl::Status seen = see(root); !seen.ok()) return seen;
    }
    return absl::OkStatus();
  }
  std::vector<Artifact> roots;
  absl::Status status;
};

TEST_F(CollectorTest, KeepsWhatOtherSourcesName) {
  FixedSource assets;
  assets.roots = {AFolder("asset"), AFile("another")};
  sources_ = {&assets};
  AFile("nobodys");
  EXPECT_EQ(Collect().freed_blobs, 1);
  EXPECT_TRUE(IsWhole(assets.roots[0]));
  EXPECT_TRUE(IsWhole(assets.roots[1]));
}

// The registry's table, as far as this looks at it, where the database has none yet.
constexpr char kAssets[] =
    "CREATE TABLE IF NOT EXISTS assets (id bigint GENERATED ALWAYS AS IDENTITY, kind smallint, "
    "name "
    "text, version text, document text, artifacts text[], description text, display_name text, "
    "tags jsonb, properties jsonb, created_us bigint, created_by text, modified_us bigint, origin "
    "text, made_by text)";

class CollectorTablesTest : public CollectorTest {
 protected:
  CollectorTablesTest() { Query(kAssets); }

  std::string Query(const std::string& sql) { return postgres_.Query(url_, sql); }
  void AddAsset(const std::string& name, const std::string& artifacts) {
    Query(
        "INSERT INTO assets (kind, name, version, document, artifacts, description, display_name, "
        "tags, properties, created_us, created_by, modified_us, origin, made_by) VALUES (1, '" +
        name + "', '1', '', " + artifacts + ", '', '', '{}', '{}', 0, '', 0, '" + name + "', '')");
  }
  void AddLoggedFile(RunId run, const Artifact& file) {
    Query(
        "INSERT INTO logged_artifacts (holder, path, sha256, size_bytes, run, logged_ms) VALUES "
        "('" +
        std::to_string(run) + ".0.1', 'file', '\\x" + file.digest.Hex() + "', " +
        std::to_string(file.digest.size_bytes) + ", " + std::to_string(run) + ", 0)");
  }
  void AddResult(RunId run) {
    Query("INSERT INTO results (fingerprint, kin, run, index, offered_us) VALUES ('" +
          std::to_string(run) + "', 0, " + std::to_string(run) + ", 0, 0)");
  }

  TemporaryPostgres& postgres_ = TemporaryPostgres::Shared();
};

TEST_F(CollectorTablesTest, KeepsWhatAssetsName) {
  const Artifact folder = AFolder("asset");
  const Artifact file = AFile("a model");
  AddAsset("empty", "'{}'");
  AddAsset("both", "ARRAY['" + ArtifactReference(folder) + "', '" + ArtifactReference(file) + "']");
  AFile("nobodys");
  EXPECT_EQ(Collect().freed_blobs, 1);
  EXPECT_TRUE(IsWhole(folder));
  EXPECT_TRUE(IsWhole(file));
}

TEST_F(CollectorTablesTest, RemovesNothingWhenAnAssetCannotBeRead) {
  AddAsset("damaged", "ARRAY['no artifact']");
  const Artifact nobodys = AFile("nobodys");
  Collector collector = MakeCollector();
  EXPECT_TRUE(absl::IsInvalidArgument(collector.Collect({}, GoOn).status()));
  EXPECT_TRUE(IsWhole(nobodys));
}

TEST_F(CollectorTablesTest, TakesLoggedFilesAndResultsOfForgottenRunsBack) {
  const Artifact kept = AFile("logged by a run that goes on");
  for (const RunId run : {1, 2}) {
    AddRun(run, AFile("code"));
    AddResult(run);
  }
  AddLoggedFile(1, AFile("logged by a run that is forgotten"));
  AddLoggedFile(2, kept);
  End(1, absl::Hours(2));
  AgeAll();
  EXPECT_EQ(Collect(absl::Hours(1)).freed_blobs, 1);
  EXPECT_TRUE(IsWhole(kept));
  EXPECT_EQ(Query("SELECT string_agg(run::text, ',') FROM results"), "2");
}

TEST_F(CollectorTest, RemovesNothingWhenItCannotKnowWhatIsNamed) {
  FixedSource assets;
  assets.status = absl::UnavailableError("the registry cannot be read");
  sources_ = {&assets};
  const Artifact nobodys = AFile("nobodys");
  Collector collector = MakeCollector();
  EXPECT_TRUE(absl::IsUnavailable(collector.Collect({}, GoOn).status()));
  EXPECT_TRUE(IsWhole(nobodys));
  assets.status = absl::OkStatus();
  EXPECT_TRUE(collector.Collect({}, GoOn).ok());
  EXPECT_FALSE(IsWhole(nobodys));
}

TEST_F(CollectorTest, PassesOverATreeThatIsNotWhole) {
  const Artifact output = AFolder("output");
  AddRun(1, AFile("code"));
  Succeed(1, output);
  // Its root is gone: what is below has no name any more.
  ASSERT_EQ(unlink(blobs_->PathOf(output.digest)->c_str()), 0);
  AgeAll();
  EXPECT_EQ(Collect().freed_blobs, 3);
}

TEST_F(CollectorTest, MakesNobodyWaitForTheNextOne) {
  Collector collector = MakeCollector();
  const absl::Status early = collector.Collect({.unused_for = absl::Minutes(9)}, GoOn).status();
  EXPECT_TRUE(absl::IsInvalidArgument(early)) << early;
  EXPECT_THAT(std::string(early.message()), HasSubstr("10m"));

  FixedSource assets;
  absl::Status second;
  class Asking : public RootSource {
   public:
    absl::Status ForEach(const SeeArtifact& /*see*/) override {
      inner();
      return absl::OkStatus();
    }
    std::function<void()> inner;
  } asking;
  sources_ = {&asking};
  Collector busy = MakeCollector();
  asking.inner = [&] { second = busy.Collect({}, GoOn).status(); };
  EXPECT_TRUE(busy.Collect({}, GoOn).ok());
  EXPECT_TRUE(absl::IsAborted(second)) << second;
}

// Uploads of trees that share most of their blobs with garbage, while one collection follows the
// other: what Missing or Put said is here stays here until its day is over.
TEST_F(CollectorTest, TakesNothingFromUploadsUnderWay) {
  std::atomic<bool> done = false;
  std::atomic<int> collections = 0;
  std::thread collecting([&] {
    while (!done) {
      Collect();
      ++collections;
    }
  });
  int uploads = 0;
  while (uploads < 200 || collections < 3) {
    std::vector<Digest> tree;
    for (int i = 0; i < 20; ++i) {
      const std::string bytes = "blob " + std::to_string((uploads + i) % 40);
      tree.push_back(DigestOf(bytes));
      if (!blobs_->Missing({tree.back()}).empty()) {
        ASSERT_TRUE(blobs_->Put(tree.back(), bytes).ok());
      }
    }
    for (const Digest& digest : tree) ASSERT_TRUE(blobs_->Read(digest).ok());
    // A day passes.
    for (const Digest& digest : tree) {
      const auto path = blobs_->PathOf(digest);
      const timespec times[2] = {absl::ToTimespec(absl::Now() - kLong),
                                 {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
      if (path.ok()) utimensat(AT_FDCWD, path->c_str(), times, 0);
    }
    ++uploads;
  }
  done = true;
  collecting.join();
}

// kill -9 at many moments of a collection; the next one ends what it had begun, and nothing that is
// named is ever gone.
TEST_F(CollectorTest, IsEndedAnywhereAndGoesOn) {
  const Artifact kept = AFolder("kept");
  AddRun(1, kept);
  AddRun(2, kept);
  Succeed(2, AFolder("output"));
  End(2, absl::Hours(2));
  constexpr int kGarbage = 2000;
  for (int i = 0; i < kGarbage; ++i) {
    const std::string bytes = "garbage " + std::to_string(i);
    ASSERT_TRUE(blobs_->Put(DigestOf(bytes), bytes).ok());
  }
  AgeAll();
  ASSERT_TRUE(bundle_.projector->WaitFor(revision_, absl::Seconds(60), Haste::kNow).ok());
  const auto left = [&] {
    std::int64_t blobs = 0;
    EXPECT_TRUE(blobs_
                    ->ForEach([&](const Digest&) {
                      ++blobs;
                      return absl::OkStatus();
                    })
                    .ok());
    return blobs;
  };
  for (const std::int64_t until : {1999, 1500, 700, 10}) {
    const pid_t child = fork();
    if (child == 0) {
      // What the parent's threads hold does not matter: the child opens all it needs.
      const auto store = BlobStore::Open({.root = folder_ / "blobs", .durable = false});
      const auto logs = LogStore::Open(folder_ / "logs");
      if (!store.ok() || !logs.ok()) _exit(1);
      Collector::Parts parts;
      parts.store = bundle_.retention.get();
      parts.blobs = store->get();
      parts.logs = logs->get();
      parts.settle = [] { return absl::OkStatus(); };
      parts.retention = absl::Hours(1);
      Collector collector(std::move(parts));
      collector.Collect({}, GoOn).IgnoreError();
      _exit(0);
    }
    int status = 0;
    while (left() > until && waitpid(child, &status, WNOHANG) == 0) std::this_thread::yield();
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    EXPECT_TRUE(IsWhole(kept));
  }
  Collect(absl::Hours(1));
  EXPECT_EQ(left(), 5);  // the tree of four blobs, and the empty one
  EXPECT_TRUE(IsWhole(kept));
  EXPECT_NE(ForgottenSince(2), 0);
  EXPECT_THAT(*logs_->Runs(), ElementsAre(1));
}

}  // namespace
}  // namespace potok::server
