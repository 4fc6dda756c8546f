#include "server/scheduler/scheduler.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "server/domain/explain_team.h"

namespace potok::server {

namespace {

constexpr absl::Duration kTickInterval = absl::Seconds(1);
constexpr absl::Duration kRetryMin = absl::Milliseconds(20);
constexpr absl::Duration kRetryMax = absl::Seconds(2);

Claim RequestClaim(const RunSubmitted& run) {
  return {"request", run.request_id, run.name};
}
Claim NameClaim(const RunSubmitted& run) {
  return {"run", run.name, run.request_id};
}

// What a submission is told one of whose claims is held by another; nothing if both are its own.
std::optional<Answer> RefusalOf(const RunSubmitted& run,
                                const std::optional<std::string>& request_holder,
                                const std::optional<std::string>& name_holder) {
  if (request_holder) return Answer{run.reply, absl::OkStatus(), *request_holder};
  if (!name_holder) return std::nullopt;
  return Answer{run.reply,
                absl::AlreadyExistsError(
                    fmt::format("a run named '{}' exists; choose another name or none", run.name)),
                ""};
}

// `more` counts the submitter's runs of this turn.
std::optional<Answer> BeyondLimit(const State& state,
                                  const RunSubmitted& run,
                                  std::size_t* more,
                                  const DecideOptions& options) {
  const absl::Status checked = CheckPending(state, run.submitter, *more + 1, options);
  if (!checked.ok()) return Answer{run.reply, checked, ""};
  const absl::Status within = CheckQuota(state, *run.plan, run.submitter);
  if (!within.ok()) return Answer{run.reply, within, ""};
  ++*more;
  return std::nullopt;
}

}  // namespace

Scheduler::Scheduler(Store& store,
                     Projector& projector,
                     Outbound& outbound,
                     const Clock& clock,
                     SchedulerMetrics& metrics,
                     SchedulerOptions options)
    : store_(store),
      projector_(projector),
      outbound_(outbound),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      writer_(RandomId(16)),
      mailbox_(options.mailbox_max) {}

absl::Status Scheduler::AttachPlans(std::vector<Change>& changes, const PlanLoader& load_plan) {
  for (Change& change : changes) {
    auto* run = std::get_if<RunAdded>(&change);
    if (run == nullptr) continue;
    auto plan = load_plan(run->spec);
    if (!plan.ok()) {
      return absl::Status(
          plan.status().code(),
          fmt::format("loading the plan of run {}: {}", run->name, plan.status().ToString()));
    }
    run->plan = *std::move(plan);
  }
  return absl::OkStatus();
}

absl::Status Scheduler::Start(const PlanLoader& load_plan) {
  absl::StatusOr<Loaded> found = store_.Load();
  // Once more where a connection was lost on the way; a database that stays away is the
  // supervisor's to wait for.
  if (absl::IsUnavailable(found.status())) found = store_.Load();
  POTOK_RETURN_IF_ERROR(found.status());
  Loaded& loaded = *found;
  POTOK_RETURN_IF_ERROR(AttachPlans(loaded.changes, load_plan));
  state_ = State{};
  state_.epoch = loaded.epoch;
  state_.next_run = loaded.next_run;
  state_.next_machine = loaded.next_machine;
  for (const Change& change : loaded.changes) Apply(state_, change);
  state_.reuse.offered.insert(loaded.offered.begin(), loaded.offered.end());
  committed_.store(loaded.revision, std::memory_order_release);
  // Watchers and names are told what was loaded, as if it had just been decided.
  outbound_.Committed({loaded.revision, writer_, loaded.changes});
  const absl::Time now = clock_.Now();
  last_tick_ = now;
  Decision decision =
      DecideStart(state_, ServerStarted{loaded.epoch + 1, writer_, now}, options_.decide);
  POTOK_RETURN_IF_ERROR(CommitAndSpeak(std::move(decision), {}));
  metrics_.ObserveState(state_);
  started_.store(true, std::memory_order_release);
  spdlog::info("scheduler started epoch={} revision={} runs={} machines={}",
               state_.epoch,
               committed_revision(),
               state_.runs.size(),
               state_.machines.size());
  return absl::OkStatus();
}

absl::Status Scheduler::Run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    POTOK_RETURN_IF_ERROR(RunOnce(kTickInterval));
  }
  return absl::OkStatus();
}

void Scheduler::Stop() {
  stopping_.store(true, std::memory_order_release);
  mailbox_.Close();
}

bool Scheduler::Post(Event event) {
  return mailbox_.Post(Item(std::move(event)));
}
bool Scheduler::PostAlways(Event event) {
  return mailbox_.PostAlways(Item(std::move(event)));
}
bool Scheduler::Ask(std::function<void(const State&)> question) {
  return mailbox_.PostAlways(Item(std::move(question)));
}

bool Scheduler::MaySpeak() const {
  const absl::Time proof = absl::FromUnixMicros(proof_us_.load(std::memory_order_acquire));
  return clock_.Now() - proof < options_.epoch_proof_max;
}

absl::Status Scheduler::RunOnce(absl::Duration timeout) {
  std::vector<Item> items = mailbox_.TakeAll(timeout);
  metrics_.mailbox_depth.Set(static_cast<double>(items.size()));
  std::vector<Event> events;
  std::vector<Question> questions;
  for (Item& item : items) {
    std::visit(Overloaded{[&](Event& event) { events.push_back(std::move(event)); },
                          [&](Question& question) { questions.push_back(std::move(question)); }},
               item);
  }
  if (clock_.Now() - last_tick_ >= kTickInterval) {
    last_tick_ = clock_.Now();
    events.emplace_back(Tick{});
  }
  if (!events.empty()) POTOK_RETURN_IF_ERROR(Turn(std::move(events)));
  // After the turn: a question may be about what the same caller posted before it.
  for (const Question& question : questions) question(state_);
  return ProveEpoch();
}

absl::Status Scheduler::Turn(std::vector<Event> events) {
  const absl::Time began = clock_.Now();
  std::vector<potok::server::Claim> claims;
  POTOK_RETURN_IF_ERROR(Claim(events, claims));
  Decision decision = DecideTurn(state_, events, clock_.Now(), options_.decide);
  metrics_.decide_seconds.Observe(absl::ToDoubleSeconds(clock_.Now() - began));
  for (const std::string& error : decision.internal_errors) {
    spdlog::error("internal error, the run was failed: {}", error);
  }
  if (decision.stale_reports > 0) {
    metrics_.stale_reports.Increment(decision.stale_reports);
    spdlog::warn("stale reports ignored count={}", decision.stale_reports);
  }
  return CommitAndSpeak(std::move(decision), claims);
}

// Answers those of the submissions that are refused, and returns their places. Each has two claims.
std::vector<std::size_t> Scheduler::Refuse(const std::vector<Event>& events,
                                           const std::vector<std::size_t>& submissions,
                                           const std::vector<std::optional<std::string>>& holders) {
  std::vector<std::size_t> refused;
  std::map<std::string, std::size_t> more;  // by submitter
  for (std::size_t s = 0; s < submissions.size(); ++s) {
    const auto& run = std::get<RunSubmitted>(events[submissions[s]]);
    std::optional<Answer> refusal = RefusalOf(run, holders[2 * s], holders[2 * s + 1]);
    if (!refusal) refusal = BeyondLimit(state_, run, &more[run.submitter], options_.decide);
    if (!refusal) continue;
    refused.push_back(submissions[s]);
    outbound_.Say({*std::move(refusal)});
  }
  return refused;
}

// Claims what must be unique for every submission of the turn. A submission whose claim is taken is
// answered and taken out, and the claims of the others are made again without it, so that nothing
// of it stays claimed.
absl::Status Scheduler::Claim(std::vector<Event>& events,
                              std::vector<potok::server::Claim>& claims) {
  absl::Duration pause = kRetryMin;
  while (true) {
    claims.clear();
    std::vector<std::size_t> submissions;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto* run = std::get_if<RunSubmitted>(&events[i]);
      if (run == nullptr) continue;
      submissions.push_back(i);
      claims.push_back(RequestClaim(*run));
      claims.push_back(NameClaim(*run));
    }
    if (submissions.empty()) return absl::OkStatus();
    const auto holders = store_.ClaimInTurn(claims);
    if (!holders.ok()) {
      if (holders.status().code() == absl::StatusCode::kFailedPrecondition) return holders.status();
      if (stopping_.load(std::memory_order_acquire)) return holders.status();
      spdlog::warn("claim failed, trying again: {}", holders.status().ToString());
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(pause));
      pause = std::min(pause * 2, kRetryMax);
      continue;
    }
    const std::vector<std::size_t> refused = Refuse(events, submissions, *holders);
    if (refused.empty()) return absl::OkStatus();
    for (auto it = refused.rbegin(); it != refused.rend(); ++it) {
      events.erase(events.begin() + static_cast<std::ptrdiff_t>(*it));
    }
  }
}

absl::Status Scheduler::CommitAndSpeak(Decision decision,
                                       const std::vector<potok::server::Claim>& claims) {
  if (!decision.changes.empty()) {
    Batch batch{committed_revision() + 1, writer_, std::move(decision.changes)};
    absl::Duration pause = kRetryMin;
    const absl::Time first_try = clock_.Now();
    while (true) {
      const absl::Time began = clock_.Now();
      const absl::Status status = store_.Commit(batch, claims);
      if (status.ok()) {
        // While the database was away nobody's heartbeat was heard: that is not the machines'
        // silence.
        if (clock_.Now() - first_try > options_.epoch_proof_max)
          HearEverybody(state_, clock_.Now());
        metrics_.commit_seconds.Observe(absl::ToDoubleSeconds(clock_.Now() - began));
        proof_us_.store(absl::ToUnixMicros(began), std::memory_order_release);
        break;
      }
      if (status.code() == absl::StatusCode::kFailedPrecondition) return status;
      metrics_.commit_retries.Increment();
      // Nothing was said of this turn yet: a stop now loses nothing, whether the row is there or
      // not.
      if (stopping_.load(std::memory_order_acquire)) return status;
      spdlog::warn(
          "commit failed, trying again revision={}: {}", batch.revision, status.ToString());
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(pause));
      pause = std::min(pause * 2, kRetryMax);
    }
    committed_.store(batch.revision, std::memory_order_release);
    metrics_.ObserveBatch(batch, state_);
    // Agents first: they are what a chain of steps waits for.
    outbound_.Say(std::move(decision.effects));
    outbound_.Committed(batch);
    projector_.Project(std::move(batch));
    return absl::OkStatus();
  }
  outbound_.Say(std::move(decision.effects));
  return absl::OkStatus();
}

absl::Status Scheduler::ProveEpoch() {
  const absl::Time now = clock_.Now();
  const absl::Time proof = absl::FromUnixMicros(proof_us_.load(std::memory_order_acquire));
  if (now - proof < options_.epoch_proof_renew) return absl::OkStatus();
  const auto epoch = store_.ReadEpoch();
  if (!epoch.ok()) {
    spdlog::warn("reading the epoch failed: {}", epoch.status().ToString());
    return absl::OkStatus();  // no proof: heartbeats are not acknowledged until there is one
  }
  if (*epoch > state_.epoch) {
    return absl::FailedPreconditionError(
        fmt::format("another server took over: epoch {} is above ours, {}", *epoch, state_.epoch));
  }
  proof_us_.store(absl::ToUnixMicros(now), std::memory_order_release);
  return absl::OkStatus();
}

}  // namespace potok::server
