#include "agent/loop/agent_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/overloaded.h"

namespace potok::agent {
namespace {

// Between SIGTERM and SIGKILL where nobody named a time.
constexpr absl::Duration kGrace = absl::Seconds(10);
// How long an ending agent waits for the server to acknowledge what became of its attempts.
constexpr absl::Duration kLastWords = absl::Seconds(5);
// Reports wait for others where nobody notices, so that one message and one commit carry them all.
// That a command runs is said with its end if it is short. While more attempts are live than
// keep the processors busy, a place that became free is no loss: then messages keep a distance.
constexpr absl::Duration kStartHold = absl::Milliseconds(2);
constexpr absl::Duration kCrowdSpacing = absl::Milliseconds(5);
constexpr std::size_t kCrowd = 2;  // live attempts for each processor
// What attempts use is looked at this often, so that no peak of any length is missed where the
// kernel keeps none.
constexpr absl::Duration kMeasureInterval = absl::Seconds(2);
// It goes with heartbeats, for people who look at a machine: not with each, and not of thousands.
constexpr absl::Duration kUsageSpacing = absl::Seconds(10);
constexpr std::size_t kUsageMax = 256;

}  // namespace

AgentLoop::AgentLoop(Ports ports, Introduction introduction, const Options& options)
    : ports_(ports),
      introduction_(std::move(introduction)),
      options_(options),
      backoff_(options.jitter_seed) {}

absl::Duration AgentLoop::Turn(absl::Duration now, std::vector<LoopEvent> events) {
  now_ = now;
  for (LoopEvent& event : events) Handle(std::move(event));
  ports_.attempts.HandleProcesses();
  DoWhatIsDue();
  SayReports();
  EndIfStopped();
  return NextTurn();
}

void AgentLoop::Handle(LoopEvent event) {
  std::visit(
      Overloaded{[this](LinkNews news) {
                   if (news.session != session_number_) return;
                   for (ServerWord& word : news.words) {
                     std::visit([this](auto& said) { Handle(std::move(said)); }, word);
                   }
                 },
                 [this](const AttemptNews& news) { ports_.attempts.Apply(news.key, news.event); },
                 [this](const StopSignal&) { HandleStop(); }},
      std::move(event));
}

void AgentLoop::Handle(const Welcome& welcome) {
  session_ = Session::kWelcomed;
  ports_.attempts.ServerListens(true);
  if (failures_ > 0) spdlog::info("server is back attempts={}", failures_);
  failures_ = 0;
  backoff_.Reset();
  lease_.Welcomed(welcome.lease);
  lease_expired_ = false;
  ports_.executor.SetLeaseDeadline(lease_.deadline());
  if (welcome.heartbeat_interval > absl::ZeroDuration()) {
    heartbeat_interval_ = welcome.heartbeat_interval;
  }
  heartbeat_at_ = now_ + heartbeat_interval_;
  spdlog::info("welcomed by the server lease={} heartbeat={} live={} kept={}",
               absl::FormatDuration(welcome.lease),
               absl::FormatDuration(heartbeat_interval_),
               announced_.size(),
               welcome.keep.size());

  std::vector<AttemptKey> keep = welcome.keep;
  std::sort(keep.begin(), keep.end());
  std::vector<AttemptKey> unwanted;
  std::set_difference(
      announced_.begin(), announced_.end(), keep.begin(), keep.end(), std::back_inserter(unwanted));
  for (const AttemptKey& key : unwanted) {
    spdlog::info("attempt is not wanted any more attempt={}", ToString(key));
    ports_.attempts.Apply(key, StopAsked{StopReason::kUnwanted, kGrace});
  }
  std::vector<Report> progress = ports_.attempts.Progress(keep);
  unsaid_.insert(unsaid_.begin(), progress.begin(), progress.end());
}

void AgentLoop::Handle(StartOrder order) {
  if (!stopping_) ports_.attempts.Start(std::move(order));
}

void AgentLoop::Handle(const UnusableOrder& order) {
  if (!stopping_) ports_.attempts.Refuse(order);
}

void AgentLoop::Handle(const StopOrder& order) {
  ports_.attempts.Stop(order.key, order.grace);
}

void AgentLoop::Handle(const HeartbeatAcknowledged& acknowledged) {
  lease_.Acknowledged(acknowledged.sequence);
  ports_.executor.SetLeaseDeadline(lease_.deadline());
}

void AgentLoop::Handle(const ReportsAcknowledged& acknowledged) {
  for (const AttemptKey& key : acknowledged.keys) {
    ports_.attempts.Apply(key, ReportAcknowledged{});
  }
}

void AgentLoop::Handle(const ExecOrder& order) {
  if (ports_.execs == nullptr) return;  // nor was anything else said
  if (!introduction_.allows_exec) {
    return ports_.execs->Open(
        order,
        absl::PermissionDeniedError("the agent of the machine " + introduction_.machine +
                                    " does not allow it (--exec=deny)"));
  }
  ports_.execs->Open(order, ports_.attempts.Beside(order));
}

void AgentLoop::Handle(const LinkClosed& closed) {
  session_ = Session::kClosed;
  ports_.attempts.ServerListens(false);
  heartbeat_at_ = absl::InfiniteDuration();
  // What is unsaid now is said by the next Hello.
  unsaid_.clear();
  const absl::Duration wait = backoff_.Next();
  open_at_ = now_ + wait;
  // An unreachable server is worth a line at first, and one a minute or so after that.
  const auto level = failures_ % 15 == 0 ? spdlog::level::warn : spdlog::level::debug;
  spdlog::log(level,
              "no connection to the server failures={} error=\"{}\" retry_in={}",
              failures_,
              closed.status.ToString(),
              absl::FormatDuration(wait));
  ++failures_;
}

void AgentLoop::HandleStop() {
  if (stopping_) {
    done_ = true;
    return;
  }
  stopping_ = true;
  ports_.attempts.ServerListens(false);
  spdlog::info("agent stops running={} steps={}",
               ports_.attempts.Live().size(),
               options_.on_stop == OnStop::kKill ? "are ended" : "go on");
  if (options_.on_stop == OnStop::kLeave) {
    give_up_at_ = now_;
    return;
  }
  give_up_at_ = now_ + kGrace + kLastWords;
  ports_.attempts.ApplyToLive(StopAsked{StopReason::kAgentStops, kGrace});
}

void AgentLoop::OpenSession() {
  Hello hello{.introduction = introduction_,
              .live = ports_.attempts.Live(),
              .unacknowledged = ports_.attempts.Unacknowledged()};
  ports_.attempts.TakeReports();  // they are in the Hello
  unsaid_.clear();
  announced_ = hello.live;
  session_ = Session::kGreeting;
  lease_.HelloSent(now_);
  ports_.link.Open(++session_number_, hello);
}

void AgentLoop::DoWhatIsDue() {
  if (session_ == Session::kClosed && open_at_ <= now_ && !done_) OpenSession();
  if (session_ == Session::kWelcomed && heartbeat_at_ <= now_) {
    ports_.link.SendHeartbeat(lease_.HeartbeatSent(now_), UsageToSay());
    heartbeat_at_ = now_ + heartbeat_interval_;
  }
  Measure();
  if (!lease_expired_ && lease_.deadline() <= now_) {
    lease_expired_ = true;
    spdlog::error("the server was silent for the whole lease; running steps are ended");
    ports_.attempts.ApplyToLive(LeaseExpired{});
  }
}

void AgentLoop::Measure() {
  if (!ports_.attempts.HasLive()) {
    measure_at_ = absl::InfiniteDuration();
    measured_.clear();
    return;
  }
  if (measure_at_ == absl::InfiniteDuration()) measure_at_ = now_ + kMeasureInterval;
  if (now_ < measure_at_) return;
  measure_at_ = now_ + kMeasureInterval;
  measured_ = ports_.attempts.Measure();
}

std::vector<UsageSoFar> AgentLoop::UsageToSay() {
  if (now_ < usage_said_at_ + kUsageSpacing || measured_.empty()) return {};
  usage_said_at_ = now_;
  std::vector<UsageSoFar> said = std::exchange(measured_, {});
  if (said.size() > kUsageMax) said.resize(kUsageMax);
  return said;
}

void AgentLoop::SayReports() {
  std::vector<Report> news = ports_.attempts.TakeReports();
  unsaid_.insert(
      unsaid_.end(), std::make_move_iterator(news.begin()), std::make_move_iterator(news.end()));
  if (session_ == Session::kClosed) unsaid_.clear();
  if (unsaid_.empty()) held_until_ = first_unsaid_at_ = absl::InfiniteDuration();
  if (session_ != Session::kWelcomed || unsaid_.empty() || HoldReports()) return;
  ports_.link.SendReports(unsaid_);
  unsaid_.clear();
}

bool AgentLoop::HoldReports() {
  const bool only_starts = std::ranges::all_of(unsaid_, [](const Report& report) {
    return std::holds_alternative<StartedReport>(report.event);
  });
  const bool crowded = ports_.attempts.live_count() >=
                       kCrowd * static_cast<std::size_t>(std::max(options_.processors, 1));
  if (first_unsaid_at_ == absl::InfiniteDuration()) first_unsaid_at_ = now_;
  held_until_ = absl::ZeroDuration();
  if (only_starts) held_until_ = first_unsaid_at_ + kStartHold;
  if (crowded) held_until_ = std::max(held_until_, said_at_ + kCrowdSpacing);
  if (now_ < held_until_) return true;
  held_until_ = absl::InfiniteDuration();
  first_unsaid_at_ = absl::InfiniteDuration();
  said_at_ = now_;
  return false;
}

void AgentLoop::EndIfStopped() {
  if (!stopping_ || done_) return;
  const bool all_told = ports_.attempts.empty();
  if (!all_told && now_ < give_up_at_) return;
  if (!ports_.attempts.HasLive() && session_ == Session::kWelcomed) ports_.link.SayGoodbye();
  done_ = true;
}

absl::Duration AgentLoop::NextTurn() const {
  absl::Duration next = std::min({heartbeat_at_, give_up_at_, held_until_, measure_at_});
  if (session_ == Session::kClosed) next = std::min(next, open_at_);
  if (!lease_expired_) next = std::min(next, lease_.deadline());
  return next;
}

}  // namespace potok::agent
