#include "server/rpc/lineage.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "server/rpc/convert.h"
#include "server/rpc/lineage_walk.h"
#include "server/rpc/step_artifacts.h"
#include "spdlog/spdlog.h"

namespace potok::server {

namespace {

constexpr int kLimitDefault = 50;
constexpr int kLimitMax = 1000;  // runs.proto
constexpr int kRunsAtATime = 100;
// Runs that go on are looked at one by one.
constexpr int kUnfinishedMax = 100;

// What the question is about.
struct Subject {
  Artifact artifact;
  const ToldRun* run = nullptr;  // and the step that made it, if an output was asked for
  std::uint32_t index = 0;
  std::string output;
};

std::string OutputNamesOf(const Step& step) {
  std::vector<std::string> names;
  for (const Output& output : step.outputs) names.push_back(output.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string NamesOfOwnOutputs(const Plan& plan) {
  std::vector<std::string> names;
  for (const Output& output : plan.spec().outputs) names.push_back(output.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string NamesOfSteps(const Plan& plan) {
  constexpr std::size_t kNamesMax = 20;
  std::vector<std::string> names;
  for (std::uint32_t index = 0; index < plan.size() && names.size() < kNamesMax; ++index) {
    names.push_back(plan.NameOf(index));
  }
  return fmt::format("{}{}", fmt::join(names, ", "), plan.size() > kNamesMax ? ", ..." : "");
}

// The step and the name of its output that are meant.
absl::Status FindOutput(const v1::OutputReference& wanted, Subject* subject) {
  const Plan& plan = *subject->run->plan;
  for (std::uint32_t index = 0; index < plan.size(); ++index) {
    const Step& step = plan.definition(index);
    // What a body promotes is its control step's, not the run's.
    const bool is_submitted = index < plan.submitted();
    const bool may_be =
        wanted.step() == plan.NameOf(index) || (wanted.step().empty() && is_submitted);
    if (!may_be) continue;
    for (const Output& output : step.outputs) {
      const bool is_own = !wanted.step().empty() || plan.submitted() == 1;
      if ((is_own && output.name == wanted.output()) ||
          (wanted.step().empty() && output.promoted_to == wanted.output())) {
        subject->index = index;
        subject->output = output.name;
        return absl::OkStatus();
      }
    }
    if (!wanted.step().empty()) {
      return absl::NotFoundError(fmt::format("the step {} of run {} has no output '{}'; it has {}",
                                             wanted.step(),
                                             wanted.run(),
                                             wanted.output(),
                                             OutputNamesOf(step)));
    }
  }
  if (wanted.step().empty()) {
    return absl::NotFoundError(
        fmt::format("the run {} has no output '{}' of its own; it has {}. For a step's write "
                    "RUN/STEP/OUTPUT; its steps are {}",
                    wanted.run(),
                    wanted.output(),
                    NamesOfOwnOutputs(plan),
                    NamesOfSteps(plan)));
  }
  return absl::NotFoundError(fmt::format(
      "the run {} has no step '{}'; it has {}", wanted.run(), wanted.step(), NamesOfSteps(plan)));
}

// Why the output that was found is no artifact.
absl::Status NothingMade(const Subject& subject, const std::string& run) {
  const Step& step = subject.run->plan->definition(subject.index);
  const std::string name = subject.run->plan->NameOf(subject.index);
  const auto output = std::ranges::find(step.outputs, subject.output, &Output::name);
  const bool is_value = output != step.outputs.end() && IsPrimitive(output->type);
  return absl::FailedPreconditionError(
      is_value
          ? fmt::format("the output '{}' of step {} of run {} is a {}; only files and folders have "
                        "a lineage, and that of a value is seen at the files made with it",
                        subject.output,
                        name,
                        run,
                        NameOf(output->type))
          : fmt::format("the step {} of run {} has not completed, so that there is no '{}' yet",
                        name,
                        run,
                        subject.output));
}

absl::StatusOr<Subject> SubjectOf(const v1::LineageRequest& request, ToldRuns& records) {
  Subject subject;
  if (request.has_artifact()) {
    POTOK_ASSIGN_OR_RETURN(subject.artifact.digest, potok::FromProto(request.artifact()));
    return subject;
  }
  if (!request.has_output()) {
    return absl::InvalidArgumentError("the question names neither an artifact nor an output");
  }
  POTOK_ASSIGN_OR_RETURN(subject.run, records.ByName(request.output().run()));
  POTOK_RETURN_IF_ERROR(FindOutput(request.output(), &subject));
  const StepRow* row = subject.run->Find(subject.index);
  const Artifact* made = row == nullptr ? nullptr : MadeArtifact(*row, subject.output);
  if (made == nullptr) {
    return NothingMade(subject, request.output().run());
  }
  subject.artifact = *made;
  return subject;
}

// Uses of one artifact by runs that go on.
absl::StatusOr<std::vector<ArtifactUse>> UnfinishedUses(Reader& reader,
                                                        ToldRuns& records,
                                                        const Digest& digest) {
  RunFilter filter;
  filter.status = {RunStatus::kNotStarted, RunStatus::kRunning, RunStatus::kCancelRequested};
  filter.limit = kUnfinishedMax;
  POTOK_ASSIGN_OR_RETURN(const std::vector<RunRow> rows, reader.ListRuns(filter));
  std::vector<ArtifactUse> uses;
  for (const RunRow& row : rows) {
    POTOK_ASSIGN_OR_RETURN(const ToldRun* const run, records.ById(row.added.id));
    for (const ArtifactUse& use : UsesOf(row.added.id, *run->plan, run->steps)) {
      if (use.digest == digest) uses.push_back(use);
    }
  }
  return uses;
}

// Cuts `uses` to about `limit`, between runs where it can; the run to go on before, or 0.
RunId Cut(std::size_t limit, std::vector<ArtifactUse>* uses) {
  if (uses->size() <= limit) return 0;
  uses->resize(limit);
  const RunId last = uses->back().run;
  if (uses->front().run == last) return last;  // the rest of a run with more uses is left out
  std::erase_if(*uses, [last](const ArtifactUse& use) { return use.run == last; });
  return last + 1;
}

absl::Status AddUse(const ArtifactUse& use, ToldRuns& records, v1::ArtifactUse* out) {
  POTOK_ASSIGN_OR_RETURN(const ToldRun* const run, records.ById(use.run));
  out->set_run(run->row.added.name);
  out->set_run_created_us(run->row.created_us);
  out->set_port(use.port);
  if (use.index >= run->plan->size()) return absl::OkStatus();
  out->set_step(run->plan->NameOf(use.index));
  const StepRow* row = run->Find(use.index);
  if (row != nullptr) out->set_step_status(StatusOf(row->state, false));
  return absl::OkStatus();
}

absl::Status AddUses(const std::vector<ArtifactUse>& uses,
                     ToldRuns& records,
                     google::protobuf::RepeatedPtrField<v1::ArtifactUse>* out) {
  for (const ArtifactUse& use : uses) POTOK_RETURN_IF_ERROR(AddUse(use, records, out->Add()));
  return absl::OkStatus();
}

// Who made an artifact and who used it, newest first.
struct UsesPage {
  std::vector<ArtifactUse> made;
  std::vector<ArtifactUse> used;
  RunId next = 0;  // where the next page begins; 0: there is none
};

absl::StatusOr<UsesPage> StoredPage(Reader& reader, const Digest& digest, RunId before, int limit) {
  UsesPage page;
  ArtifactUseFilter filter{digest, {ArtifactRole::kMade}, before, limit + 1};
  POTOK_ASSIGN_OR_RETURN(page.made, reader.FindUses(filter));
  filter.roles = {ArtifactRole::kUsed, ArtifactRole::kCode};
  POTOK_ASSIGN_OR_RETURN(page.used, reader.FindUses(filter));
  const auto wanted = static_cast<std::size_t>(limit);
  page.next = std::max(Cut(wanted, &page.made), Cut(wanted, &page.used));
  const auto is_later = [&page](const ArtifactUse& use) { return use.run < page.next; };
  std::erase_if(page.made, is_later);
  std::erase_if(page.used, is_later);
  return page;
}

// Of runs that go on.
absl::Status AddUnfinished(Reader& reader,
                           ToldRuns& records,
                           const Digest& digest,
                           UsesPage* page) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<ArtifactUse> unfinished,
                         UnfinishedUses(reader, records, digest));
  for (const ArtifactUse& use : unfinished) {
    (use.role == ArtifactRole::kMade ? page->made : page->used).push_back(use);
  }
  const auto newest = [](const ArtifactUse& a, const ArtifactUse& b) { return a.run > b.run; };
  std::ranges::stable_sort(page->made, newest);
  std::ranges::stable_sort(page->used, newest);
  return absl::OkStatus();
}

// The first page has those of runs that go on, too.
absl::StatusOr<UsesPage> PageOf(
    Reader& reader, ToldRuns& records, const Digest& digest, RunId before, int limit) {
  POTOK_ASSIGN_OR_RETURN(UsesPage page, StoredPage(reader, digest, before, limit));
  if (before == 0) POTOK_RETURN_IF_ERROR(AddUnfinished(reader, records, digest, &page));
  return page;
}

absl::StatusOr<int> LimitOf(const v1::LineageRequest& request) {
  const int limit = request.limit() == 0 ? kLimitDefault : request.limit();
  if (limit > 0 && limit <= kLimitMax) return limit;
  return absl::InvalidArgumentError(
      fmt::format("limit is 1 to {}, not {}", kLimitMax, request.limit()));
}

// The artifact as its maker has it says more than a digest: its name and kind.
absl::Status WalkFromMaker(const ArtifactUse& made,
                           ToldRuns& records,
                           LineageWalk& walk,
                           v1::LineageResponse* response) {
  POTOK_ASSIGN_OR_RETURN(const ToldRun* const maker, records.ById(made.run));
  POTOK_RETURN_IF_ERROR(walk.From(*maker, made.index, made.port));
  const StepRow* row = maker->Find(made.index);
  const Artifact* whole = row == nullptr ? nullptr : MadeArtifact(*row, made.port);
  if (whole != nullptr) *response->mutable_artifact() = potok::ToProto(*whole);
  return absl::OkStatus();
}

}  // namespace

absl::Status Lineage::CatchUp() {
  while (true) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<RunId> runs,
                           reader_.ListRunsWithoutUses(kRunsAtATime));
    if (runs.empty()) return absl::OkStatus();
    for (const RunId id : runs) {
      ToldRuns records(reader_, plan_of_);  // of one run: their sum may be more than memory holds
      const absl::StatusOr<const ToldRun*> run = records.ById(id);
      if (absl::IsUnavailable(run.status())) return run.status();
      // A spec that cannot be read must not stand in the way of all others.
      if (!run.ok()) spdlog::warn("no lineage run={} error=\"{}\"", id, run.status().ToString());
      POTOK_RETURN_IF_ERROR(reader_.PutUses(
          id, run.ok() ? UsesOf(id, *(*run)->plan, (*run)->steps) : std::vector<ArtifactUse>()));
    }
  }
}

absl::StatusOr<v1::LineageResponse> Lineage::Of(const v1::LineageRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const int limit, LimitOf(request));
  POTOK_RETURN_IF_ERROR(CatchUp());
  ToldRuns records(reader_, plan_of_);
  POTOK_ASSIGN_OR_RETURN(const Subject subject, SubjectOf(request, records));
  const Digest& digest = subject.artifact.digest;
  POTOK_ASSIGN_OR_RETURN(const UsesPage page,
                         PageOf(reader_, records, digest, request.before_run(), limit));
  v1::LineageResponse response;
  *response.mutable_artifact() = potok::ToProto(subject.artifact);
  response.set_next_before_run(page.next);
  POTOK_RETURN_IF_ERROR(AddUses(page.made, records, response.mutable_made_by()));
  POTOK_RETURN_IF_ERROR(AddUses(page.used, records, response.mutable_used_by()));
  LineageWalk walk(reader_, records, response);
  if (subject.run != nullptr) {
    POTOK_RETURN_IF_ERROR(walk.From(*subject.run, subject.index, subject.output));
  } else if (!page.made.empty()) {
    POTOK_RETURN_IF_ERROR(WalkFromMaker(page.made.front(), records, walk, &response));
  }
  return response;
}

}  // namespace potok::server
