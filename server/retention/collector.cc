#include "server/retention/collector.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <random>
#include <set>

#include "absl/time/clock.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr absl::Duration kUnusedForMin = absl::Minutes(10);
// Between two reports of how far it is, by what was looked at.
constexpr std::int64_t kReportEvery = 10'000;

// When the retention of a run with this setting ends.
absl::Time EndOfRetention(const KeptRun& run,
                          std::int64_t retention_seconds,
                          absl::Duration standard) {
  if (run.ended_us == 0 || retention_seconds < 0) return absl::InfiniteFuture();
  const absl::Duration retention =
      retention_seconds == 0 ? standard : absl::Seconds(retention_seconds);
  return absl::FromUnixMicros(run.ended_us) + retention;
}

}  // namespace

// One collection, from its beginning to its end.
class Collector::Collection {
 public:
  Collection(const Parts& parts,
             const CollectionOptions& options,
             const std::function<bool(const Collected&)>& go_on)
      : parts_(parts), options_(options), go_on_(go_on), now_(absl::Now()) {}

  absl::StatusOr<Collected> Run() {
    collected_.phase = "reading what is named";
    POTOK_RETURN_IF_ERROR(Prepare());
    POTOK_RETURN_IF_ERROR(MarkAll());
    collected_.phase = "looking at blobs";
    POTOK_RETURN_IF_ERROR(Sweep());
    POTOK_RETURN_IF_ERROR(RemoveLogs());
    collected_.phase = "done";
    return collected_;
  }

 private:
  absl::Status Prepare() {
    // What is committed later was asked for after `now_`, and is spared.
    POTOK_RETURN_IF_ERROR(parts_.settle());
    if (parts_.blobs == nullptr) return absl::OkStatus();
    std::size_t blobs = 0;
    POTOK_RETURN_IF_ERROR(parts_.blobs->ForEach([&](const Digest&) {
      ++blobs;
      return absl::OkStatus();
    }));
    marks_.emplace(blobs, (std::uint64_t{std::random_device()()} << 32U) + std::random_device()());
    marker_.emplace(*parts_.blobs, *marks_);
    // Whatever says so or not: it is always there.
    marks_->Add(DigestOf(""));
    return absl::OkStatus();
  }

  absl::Status MarkAll() {
    POTOK_RETURN_IF_ERROR(ReadSpecs());
    POTOK_RETURN_IF_ERROR(EndRetentions());
    POTOK_RETURN_IF_ERROR(ReadOutputs());
    POTOK_RETURN_IF_ERROR(ReadAssets());
    for (RootSource* source : parts_.sources) {
      POTOK_RETURN_IF_ERROR(source->ForEach([this](const Artifact& root) { return See(root); }));
    }
    return absl::OkStatus();
  }

  absl::Status See(const Artifact& root) {
    if (marker_) POTOK_RETURN_IF_ERROR(marker_->Mark(root));
    return Count(collected_.roots);
  }

  // One more of something, with a report now and then.
  absl::Status Count(std::int64_t& number) {
    if (++number % kReportEvery != 0) return absl::OkStatus();
    if (marker_) collected_.folders = marker_->folders();
    if (go_on_(collected_)) return absl::OkStatus();
    return absl::CancelledError("the collection was stopped; what it removed stays removed");
  }

  absl::Status ReadSpecs() {
    return parts_.store->ForEachSpec([this](const Digest& digest, const std::string& spec) {
      std::int64_t seconds = 0;
      POTOK_RETURN_IF_ERROR(ArtifactsInSpec(
          spec, [this](const Artifact& root) { return See(root); }, &seconds));
      if (seconds != 0) retention_seconds_[digest] = seconds;
      return absl::OkStatus();
    });
  }

  absl::Status EndRetentions() {
    std::vector<RunId> ended;
    POTOK_RETURN_IF_ERROR(parts_.store->ForEachRun([&](const KeptRun& run) {
      const auto own = retention_seconds_.find(run.spec);
      const std::int64_t seconds = own == retention_seconds_.end() ? 0 : own->second;
      if (EndOfRetention(run, seconds, parts_.retention) <= now_) ended.push_back(run.id);
      return absl::OkStatus();
    }));
    collected_.runs_ended = static_cast<std::int64_t>(ended.size());
    if (!options_.dry_run) POTOK_RETURN_IF_ERROR(parts_.store->Forget(ended, now_));
    ended_.insert(ended.begin(), ended.end());
    return absl::OkStatus();
  }

  absl::Status ReadOutputs() {
    POTOK_RETURN_IF_ERROR(
        parts_.store->ForEachStepState([this](RunId run, const std::string& state) {
          if (ended_.contains(run)) return absl::OkStatus();
          return ArtifactsInStepState(state, [this](const Artifact& root) { return See(root); });
        }));
    return parts_.store->ForEachLoggedFile([this](RunId run, const Digest& file) {
      return ended_.contains(run) ? absl::OkStatus() : See(Artifact{file, false, 0, ""});
    });
  }

  absl::Status ReadAssets() {
    return parts_.store->ForEachAsset([this](const std::string& text) {
      POTOK_ASSIGN_OR_RETURN(const Artifact root, ParseArtifactReference(text));
      return See(root);
    });
  }

  absl::Status Sweep() {
    if (parts_.blobs == nullptr) return absl::OkStatus();
    collected_.folders = marker_->folders();
    const absl::Time before = now_ - options_.unused_for;
    return parts_.blobs->ForEach([&](const Digest& digest) -> absl::Status {
      collected_.bytes += digest.size_bytes;
      POTOK_RETURN_IF_ERROR(Count(collected_.blobs));
      if (marks_->MayContain(digest)) return absl::OkStatus();
      POTOK_ASSIGN_OR_RETURN(const bool goes,
                             options_.dry_run ? parts_.blobs->IsUnused(digest, before)
                                              : parts_.blobs->RemoveUnused(digest, before));
      ++(goes ? collected_.freed_blobs : collected_.spared_blobs);
      (goes ? collected_.freed_bytes : collected_.spared_bytes) += digest.size_bytes;
      return absl::OkStatus();
    });
  }

  absl::Status RemoveLogs() {
    POTOK_ASSIGN_OR_RETURN(const std::vector<RunId> with_logs, parts_.logs->Runs());
    POTOK_ASSIGN_OR_RETURN(const std::vector<RunId> forgotten, parts_.store->Forgotten(with_logs));
    std::set<RunId> gone(forgotten.begin(), forgotten.end());
    for (const RunId run : with_logs) {
      if (ended_.contains(run)) gone.insert(run);
    }
    for (const RunId run : gone) {
      POTOK_ASSIGN_OR_RETURN(
          const std::int64_t bytes,
          options_.dry_run ? parts_.logs->BytesOf(run) : parts_.logs->Remove(run));
      collected_.freed_log_bytes += bytes;
      POTOK_RETURN_IF_ERROR(Count(collected_.freed_logs));
    }
    return absl::OkStatus();
  }

  const Parts& parts_;
  const CollectionOptions& options_;
  const std::function<bool(const Collected&)>& go_on_;
  const absl::Time now_;
  std::optional<BlobMarks> marks_;
  std::optional<Marker> marker_;
  std::map<Digest, std::int64_t> retention_seconds_;  // of specs that say something
  std::set<RunId> ended_;                             // in this collection
  Collected collected_;
};

absl::StatusOr<Collected> Collector::Collect(const CollectionOptions& options,
                                             const std::function<bool(const Collected&)>& go_on) {
  if (options.unused_for < kUnusedForMin) {
    return absl::InvalidArgumentError(
        fmt::format("unused for {}: what is younger than {} may belong to a submission or an "
                    "upload under way; give at least that",
                    absl::FormatDuration(options.unused_for),
                    absl::FormatDuration(kUnusedForMin)));
  }
  {
    MutexLock lock(mutex_);
    if (is_under_way_) {
      return absl::AbortedError("another collection is under way; try again when it has ended");
    }
    is_under_way_ = true;
  }
  const absl::StatusOr<Collected> collected = Collection(parts_, options, go_on).Run();
  if (collected.ok()) {
    spdlog::info(R"(garbage collected dry_run={} runs_ended={} freed="{}" blobs={} spared="{}")",
                 options.dry_run,
                 collected->runs_ended,
                 FormatBytes(collected->freed_bytes + collected->freed_log_bytes),
                 collected->freed_blobs,
                 FormatBytes(collected->spared_bytes));
  }
  MutexLock lock(mutex_);
  is_under_way_ = false;
  return collected;
}

}  // namespace potok::server
