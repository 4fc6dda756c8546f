#include "client/cli/follow/cluster_frame.h"

#include "client/cli/show/machine_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/line_splitter.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::int64_t kBarColumns = 10;
constexpr std::size_t kTableLines = 3;  // its two headings and the empty line below

std::string CpusOf(std::int64_t millis) {
  return fmt::format("{}", static_cast<double>(millis) / 1000.0);
}

// "####......", all of it full only if nothing is left.
std::string Bar(std::int64_t used, std::int64_t all) {
  if (all <= 0) return std::string(kBarColumns, '.');
  const std::int64_t full = std::clamp<std::int64_t>(used * kBarColumns / all, 0, kBarColumns);
  return std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kBarColumns - full), '.');
}

std::string Used(std::int64_t used,
                 std::int64_t all,
                 const std::function<std::string(std::int64_t)>& text) {
  return fmt::format("{} {} of {}", Bar(used, all), text(used), text(all));
}

std::string GpusOf(std::int64_t millis) {
  return FormatGpus(static_cast<std::int32_t>(millis));
}

std::string Count(int count) {
  return count < 0 ? "-" : fmt::format("{}", count);
}

Rows MachineRows(const Cluster& cluster) {
  Rows rows;
  for (const v1::Machine& machine : cluster.machines) {
    const v1::Resources& reserved = machine.reserved();
    const v1::Resources& capacity = machine.capacity();
    rows.push_back({machine.name(),
                    MachineState(machine),
                    Used(reserved.cpu_millis(), capacity.cpu_millis(), CpusOf),
                    Used(reserved.memory_bytes(), capacity.memory_bytes(), FormatBytes),
                    GpuMillisOf(capacity) == 0
                        ? "-"
                        : Used(GpuMillisOf(reserved), GpuMillisOf(capacity), GpusOf),
                    fmt::format("{}", machine.steps_size())});
  }
  return rows;
}

Rows RunRows(const Cluster& cluster, absl::Time now) {
  Rows rows;
  for (const RunLoad& load : cluster.runs) {
    const v1::Run& run = load.run;
    rows.push_back({run.name(),
                    NameOf(run.status()),
                    fmt::format("{}/{}", run.steps_completed(), run.steps_total()),
                    fmt::format("{}", run.steps_running()),
                    Count(load.queued),
                    Count(load.not_started),
                    ShortDuration(now - absl::FromUnixMicros(run.created_us())),
                    run.submitter()});
  }
  return rows;
}

Rows StepRows(const Cluster& cluster) {
  Rows rows;
  for (const v1::Machine& machine : cluster.machines) {
    for (const v1::StepOnMachine& step : machine.steps()) {
      rows.push_back({machine.name(),
                      step.run(),
                      step.step(),
                      NameOf(step.status()),
                      CpusOf(step.resources().cpu_millis()),
                      FormatBytes(step.resources().memory_bytes()),
                      FormatGpus(GpuMillisOf(step.resources()))});
    }
  }
  return rows;
}

std::vector<std::string> Heading(const Cluster& cluster, absl::Time now, absl::TimeZone zone) {
  v1::Resources used;
  v1::Resources all;
  int ready = 0;
  for (const v1::Machine& machine : cluster.machines) {
    if (machine.liveness() != v1::LIVENESS_READY) continue;
    ++ready;
    used.set_cpu_millis(used.cpu_millis() + machine.reserved().cpu_millis());
    used.set_memory_bytes(used.memory_bytes() + machine.reserved().memory_bytes());
    used.set_gpu_millis(used.gpu_millis() + GpuMillisOf(machine.reserved()));
    all.set_cpu_millis(all.cpu_millis() + machine.capacity().cpu_millis());
    all.set_memory_bytes(all.memory_bytes() + machine.capacity().memory_bytes());
    all.set_gpu_millis(all.gpu_millis() + GpuMillisOf(machine.capacity()));
  }
  int running = 0;
  int queued = 0;
  int not_started = 0;
  for (const RunLoad& load : cluster.runs) {
    running += load.run.steps_running();
    queued += std::max(load.queued, 0);
    not_started += std::max(load.not_started, 0);
  }
  return {
      fmt::format("Potok at {}  {}",
                  Printable(cluster.server),
                  absl::FormatTime("%Y-%m-%d %H:%M:%S", now, zone)),
      fmt::format("{} of {} machines ready: {} of {} CPUs, {} of {} memory, {} of {} GPUs in use",
                  ready,
                  cluster.machines.size(),
                  CpusOf(used.cpu_millis()),
                  CpusOf(all.cpu_millis()),
                  FormatBytes(used.memory_bytes()),
                  FormatBytes(all.memory_bytes()),
                  FormatGpus(used.gpu_millis()),
                  FormatGpus(all.gpu_millis())),
      fmt::format("{} runs in progress: {} steps running, {} queued, {} not started",
                  cluster.runs.size(),
                  running,
                  queued,
                  not_started)};
}

class Composition {
 public:
  explicit Composition(const Screen& screen)
      : screen_(screen), left_(std::max<std::size_t>(screen.rows, 2) - 1) {}

  void AddLines(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) Add(Shortened(line, screen_.columns));
  }

  // In at most `share` lines; without a row it is left out.
  void AddTable(const std::vector<std::string>& headings, Rows rows, std::size_t share) {
    if (rows.empty() || share < kTableLines + 1) return;
    const std::size_t rows_max = share - kTableLines;
    const std::size_t all = rows.size();
    if (all > rows_max) rows.resize(rows_max - 1);
    TableStyle style;
    style.columns = screen_.columns;
    if (screen_.color) style.color = ColorOfCell;
    Add("");
    LineSplitter splitter;
    for (const std::string& line : splitter.Add(Table(headings, rows, style))) Add(line);
    if (all > rows_max) Add(fmt::format("and {} more", all - rows.size()));
  }

  std::size_t left() const { return left_; }
  std::vector<std::string> Lines() { return std::move(lines_); }

 private:
  void Add(std::string line) {
    if (left_ == 0) return;
    --left_;
    lines_.push_back(std::move(line));
  }

  const Screen& screen_;
  std::size_t left_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> ClusterFrame(const Cluster& cluster,
                                      absl::Time now,
                                      absl::TimeZone zone,
                                      const Screen& screen) {
  Composition frame(screen);
  frame.AddLines(Heading(cluster, now, zone));
  const Rows machines = MachineRows(cluster);
  const Rows runs = RunRows(cluster, now);
  const Rows steps = StepRows(cluster);
  // What a part does not need is left to those that follow.
  frame.AddTable(
      {"MACHINE", "STATE", "CPUS", "MEMORY", "GPUS", "STEPS"}, machines, frame.left() / 3);
  frame.AddTable({"RUN", "STATE", "STEPS", "RUNNING", "QUEUED", "NOT STARTED", "TIME", "SUBMITTER"},
                 runs,
                 steps.empty() ? frame.left() : frame.left() / 2);
  frame.AddTable(
      {"MACHINE", "RUN", "STEP", "STATE", "CPUS", "MEMORY", "GPUS"}, steps, frame.left());
  return frame.Lines();
}

RunLoad LoadOf(const v1::Run& run) {
  RunLoad load{run, 0, 0};
  for (const v1::StepStatus& step : run.steps()) {
    if (step.status() == v1::STATUS_QUEUED) ++load.queued;
    if (step.status() == v1::STATUS_NOT_STARTED) ++load.not_started;
  }
  load.run.clear_steps();
  return load;
}

}  // namespace potok::client
