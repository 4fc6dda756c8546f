#include <atomic>
#include <thread>

#include "client/cli/commands/command.h"
#include "client/cli/follow/cluster_frame.h"
#include "client/cli/follow/full_screen.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/machines_client.h"
#include "client/potok_client/run_follower.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// A server that is away must not keep the screen from being left.
constexpr absl::Duration kLookPatience = absl::Seconds(2);
constexpr std::size_t kShownRunsMax = 50;
// More is not read each second only to count queues.
constexpr int kCountedStepsMax = 1000;
constexpr std::size_t kCountedRunsMax = 20;

struct TopOptions {
  CommonOptions common;
  std::string name;
};

// Keeps what it knows up to date on a thread of its own.
template <class Known>
class Updated {
 public:
  explicit Updated(Redraw* redraw) : redraw_(redraw) {}

  void Change(const std::function<void(Known&)>& change) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      change(known_);
    }
    redraw_->Ask();
  }
  Known Copy() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return known_;
  }

 private:
  Redraw* redraw_;
  mutable std::mutex mutex_;
  Known known_;
};

std::string CutNotice(const absl::Status& why) {
  return fmt::format("The line to the server is cut ({}); trying again",
                     Printable(std::string(why.message())));
}

// One run

struct KnownRun {
  bool told = false;
  v1::Run run;
  std::string notice;
  absl::Status error;
};

void Apply(const RunEvent& event, KnownRun& known) {
  std::visit(Overloaded{[&](const RunChanged& changed) {
                          known.told = true;
                          MergeChange(changed.change, &known.run);
                        },
                        [&](const LineCut& cut) { known.notice = CutNotice(cut.why); },
                        [&](const LineRestored&) { known.notice.clear(); },
                        [](const LogLines&) {},
                        [&](const FollowEnded& ended) { known.error = ended.status; }},
             event);
}

absl::Status TopOfRun(const Context& context,
                      const Connection& connection,
                      const std::string& name) {
  Redraw redraw;
  Updated<KnownRun> known(&redraw);
  RunsClient runs(connection.channel());
  RunFollower follower(&runs, name, FollowOptions());
  const std::jthread updating([&](const std::stop_token& stop) {
    bool ended = false;
    while (!ended && !stop.stop_requested()) {
      for (const RunEvent& event : follower.Next(absl::Milliseconds(200))) {
        ended = ended || std::holds_alternative<FollowEnded>(event);
        known.Change([&](KnownRun& now) { Apply(event, now); });
      }
    }
  });
  return ShowFullScreen(
      context,
      redraw,
      [&](absl::Time now, const Screen& screen) -> absl::StatusOr<std::vector<std::string>> {
        const KnownRun copy = known.Copy();
        POTOK_RETURN_IF_ERROR(copy.error);
        if (!copy.told) return std::vector<std::string>();
        Screen without_notice = screen;
        if (!copy.notice.empty()) without_notice.rows = std::max<std::size_t>(screen.rows, 2) - 1;
        std::vector<std::string> lines = LiveBlock(copy.run, now, without_notice);
        if (!copy.notice.empty()) lines.push_back(Shortened(copy.notice, screen.columns));
        return lines;
      });
}

// The cluster

struct KnownCluster {
  bool told = false;
  Cluster cluster;
  absl::Status cut;
};

absl::StatusOr<Cluster> Look(const Connection& connection) {
  Cluster cluster;
  cluster.server = connection.address().address;
  POTOK_ASSIGN_OR_RETURN(cluster.machines,
                         MachinesClient(connection.channel()).List(kLookPatience));
  v1::ListRunsRequest in_progress;
  for (const v1::Status status :
       {v1::STATUS_NOT_STARTED, v1::STATUS_RUNNING, v1::STATUS_CANCEL_REQUESTED}) {
    in_progress.add_status(status);
  }
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const std::vector<v1::Run> listed,
                         runs.List(in_progress, kShownRunsMax, kLookPatience));
  for (const v1::Run& run : listed) {
    RunLoad load{run};
    if (run.steps_total() <= kCountedStepsMax && cluster.runs.size() < kCountedRunsMax) {
      const auto whole = runs.Get(run.name(), /*without_spec=*/true, kLookPatience);
      if (whole.ok()) load = LoadOf(*whole);
    }
    cluster.runs.push_back(std::move(load));
  }
  return cluster;
}

absl::Status TopOfCluster(const Context& context, const Connection& connection) {
  Redraw redraw;
  Updated<KnownCluster> known(&redraw);
  const std::jthread updating([&](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock<std::mutex> lock(mutex);
    while (!stop.stop_requested()) {
      absl::StatusOr<Cluster> looked = Look(connection);
      known.Change([&](KnownCluster& now) {
        now.cut = looked.status();
        if (!looked.ok()) return;
        now.told = true;
        now.cluster = *std::move(looked);
      });
      never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
  });
  return ShowFullScreen(
      context,
      redraw,
      [&](absl::Time now, const Screen& screen) -> absl::StatusOr<std::vector<std::string>> {
        const KnownCluster copy = known.Copy();
        // A person waits until it mends; a file does not.
        if (!copy.told && !context.HasCursor()) POTOK_RETURN_IF_ERROR(copy.cut);
        std::vector<std::string> lines;
        if (!copy.cut.ok()) lines.push_back(Shortened(CutNotice(copy.cut), screen.columns));
        if (!copy.told) return lines;
        Screen left = screen;
        left.rows = std::max<std::size_t>(screen.rows, 2) - lines.size();
        for (std::string& line : ClusterFrame(copy.cluster, now, context.zone, left)) {
          lines.push_back(std::move(line));
        }
        return lines;
      });
}

int RunTop(Session& session, const TopOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  const absl::Status shown = options.name.empty() ? TopOfCluster(context, *connection)
                                                  : TopOfRun(context, *connection, options.name);
  return shown.ok() ? kExitOk : Complain(context, shown);
}

}  // namespace

void AddJobTop(CLI::App& job, Session& session) {
  const auto options = std::make_shared<TopOptions>();
  CommandOptions top =
      AddCommand(job,
                 session,
                 "top",
                 "Watch machines and runs, or one run, on the whole screen; q leaves",
                 "potok job top\n  potok job top -n brave_river_1",
                 options,
                 RunTop);
  top.Text("-n,--name", "RUN", "Only this run, with its steps", &options->name);
  AddServerOptions(top, &options->common);
}

}  // namespace potok::client
