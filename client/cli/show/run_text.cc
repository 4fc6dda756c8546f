#include "client/cli/show/run_text.h"

#include "absl/strings/match.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr int kStepsShownMax = 50;
constexpr char kTeamOfAll[] = "default";  // in which everybody is who is in no other

std::string Duration(std::int64_t from_us, std::int64_t to_us, absl::Time now) {
  if (from_us == 0) return "";
  const absl::Time to = to_us == 0 ? now : absl::FromUnixMicros(to_us);
  return ShortDuration(to - absl::FromUnixMicros(from_us));
}

// "8 steps: 5 completed, 1 failed, 2 running"
std::string Counts(const v1::Run& run) {
  std::string text =
      fmt::format("{} {}", run.steps_total(), run.steps_total() == 1 ? "step" : "steps");
  const char* separator = ": ";
  const auto add = [&](int count, const char* word) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", separator, count, word);
    separator = ", ";
  };
  add(run.steps_completed(), "completed");
  add(run.steps_failed(), "failed");
  add(run.steps_canceled(), "canceled");
  add(run.steps_running(), "running");
  return text;
}

std::string OutputLines(const v1::Run& run) {
  std::string text;
  for (const v1::OutputValue& output : run.outputs()) {
    text += fmt::format("  {}  {}", Printable(output.name()), OutputText(output));
    if (!output.path().empty()) text += "  at " + Printable(output.path());
    if (output.has_artifact()) {
      text += fmt::format(
          "  (potok job download -n {} --output-name {})", run.name(), Printable(output.name()));
    }
    text += "\n";
  }
  return text.empty() ? "" : "Outputs\n" + text;
}

// Whether it is shown of a run that has too many steps: what the user wrote if all is well, else
// what is not well.
bool IsTelling(const v1::Run& run, const v1::StepStatus& step) {
  if (run.status() == v1::STATUS_COMPLETED) return step.name().find('[') == std::string::npos;
  return step.status() != v1::STATUS_COMPLETED;
}

}  // namespace

std::string StepTime(const v1::StepStatus& step, absl::Time now) {
  const bool over = HasEnded(step.status());
  if (over && step.ended_us() == 0) return "";
  return Duration(step.started_us(), step.ended_us(), now);
}

std::string StepNote(const v1::StepStatus& step) {
  if (!step.reused_from().empty()) {
    std::string note = "reused from " + step.reused_from();
    if (step.saved_us() > 0) {
      note += ", saved " + ShortDuration(absl::Microseconds(step.saved_us()));
    }
    return note;
  }
  const bool waits = step.status() == v1::STATUS_QUEUED || step.status() == v1::STATUS_FINALIZING ||
                     step.status() == v1::STATUS_NOT_STARTED;
  if (waits && !step.waiting_for().empty()) {
    const bool says_so = absl::StartsWith(step.waiting_for(), "waits ");
    return says_so ? step.waiting_for() : "waits: " + step.waiting_for();
  }
  if (!step.reason().empty()) return step.reason();
  if (step.status() == v1::STATUS_FAILED && step.has_exit_code()) {
    return fmt::format("exit code {}", step.exit_code());
  }
  return step.attempt() > 1 ? fmt::format("attempt {}", step.attempt()) : "";
}

std::string StepChangeLine(const v1::StepStatus& step, absl::Time now, absl::TimeZone zone) {
  std::string line = fmt::format("{} {}  {}",
                                 absl::FormatTime("%H:%M:%S", now, zone),
                                 Printable(step.name()),
                                 NameOf(step.status()));
  const bool on_machine = step.status() == v1::STATUS_PREPARING ||
                          step.status() == v1::STATUS_RUNNING ||
                          step.status() == v1::STATUS_NOT_RESPONDING;
  if (on_machine && !step.machine().empty()) line += "  on " + Printable(step.machine());
  if (HasEnded(step.status())) {
    if (const std::string time = StepTime(step, now); !time.empty()) line += "  in " + time;
  }
  if (const std::string note = StepNote(step); !note.empty()) line += "  " + Printable(note);
  return line;
}

std::string OutputText(const v1::OutputValue& output) {
  if (output.has_artifact()) {
    return fmt::format("{} {}",
                       FormatBytes(output.artifact().total_bytes()),
                       output.artifact().is_folder() ? "folder" : "file");
  }
  return Shortened(Printable(output.text()), 80);
}

std::string StepTable(const v1::Run& run, absl::Time now, const TableStyle& style) {
  const bool all = run.steps_size() <= kStepsShownMax;
  std::vector<std::vector<std::string>> rows;
  int left_out = 0;
  for (const v1::StepStatus& step : run.steps()) {
    if (!(all || IsTelling(run, step)) || rows.size() >= kStepsShownMax) {
      ++left_out;
      continue;
    }
    rows.push_back({Shortened(step.name(), 40),
                    NameOf(step.status()),
                    StepTime(step, now),
                    step.machine(),
                    Shortened(StepNote(step), 120)});
  }
  if (rows.empty()) return "";
  std::string text = Table({"STEP", "STATE", "TIME", "MACHINE", ""}, rows, style);
  if (left_out != 0) text += fmt::format("and {} more steps: `potok job show -o json`\n", left_out);
  return text;
}

// Where people put it in the order, as far as they did.
std::string OrderLines(const v1::Run& run) {
  std::string text;
  for (const v1::RunDependency& after : run.after()) {
    text += fmt::format("  Starts after {}{}\n",
                        Printable(after.run()),
                        after.only_if_completed() ? ", if that Completed" : "");
  }
  if (run.has_hold()) {
    text += fmt::format("  Held by {} since {}{}; `potok job release -n {}`\n",
                        run.hold().by().empty() ? "a user" : Printable(run.hold().by()),
                        IsoTime(run.hold().since_us()),
                        run.hold().reason().empty() ? "" : ": " + Printable(run.hold().reason()),
                        Printable(run.name()));
  }
  if (run.has_moved_priority()) text += fmt::format("  Priority {}\n", run.moved_priority());
  if (run.has_moved_compute()) {
    text += fmt::format("  Compute {}\n", Printable(run.moved_compute()));
  }
  return text;
}

std::string UsageText(const v1::StepStatus& step) {
  if (!step.has_usage()) return "";
  const v1::Usage& usage = step.usage();
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (usage.peak_memory_bytes() > 0) {
    add("peak " + FormatBytes(usage.peak_memory_bytes()) + " memory");
  }
  add(ShortDuration(absl::Microseconds(usage.cpu_us())) + " of CPU time");
  if (usage.read_bytes() > 0) add("read " + FormatBytes(usage.read_bytes()));
  if (usage.written_bytes() > 0) add("wrote " + FormatBytes(usage.written_bytes()));
  if (usage.fetched_bytes() > 0) add("fetched " + FormatBytes(usage.fetched_bytes()));
  if (usage.found_bytes() > 0) {
    add("found " + FormatBytes(usage.found_bytes()) + " on the machine");
  }
  if (usage.has_gpu_utilization()) {
    add(fmt::format("GPUs {:.0f} % busy, {} of their memory",
                    usage.gpu_utilization() * 100,
                    FormatBytes(usage.gpu_peak_memory_bytes())));
  }
  return text;
}

std::string UsageLines(const v1::Run& run) {
  std::string text;
  int lines = 0;
  for (const v1::StepStatus& step : run.steps()) {
    const std::string usage = UsageText(step);
    if (usage.empty() && step.resource_notes().empty()) continue;
    if (++lines > kStepsShownMax) break;
    text += "  " + Printable(step.name());
    if (!usage.empty()) text += "  " + usage;
    text += "\n";
    for (const std::string& note : step.resource_notes()) {
      text += "    " + Printable(note) + "\n";
    }
  }
  return text.empty() ? "" : "Used\n" + text;
}

std::string RuntimeLines(const v1::Run& run) {
  std::string text;
  int lines = 0;
  for (const v1::StepStatus& step : run.steps()) {
    if (step.runtime().empty() || step.runtime() == "host") continue;
    if (++lines > kStepsShownMax) break;
    text += fmt::format("  {}  {}\n", Printable(step.name()), Printable(step.runtime()));
  }
  return text.empty() ? "" : "Ran in\n" + text;
}

std::string RunSummary(const v1::Run& run, absl::Time now, const TableStyle& style) {
  const std::string state = NameOf(run.status());
  std::string text =
      fmt::format("{}  {}", Printable(run.name()), InColorOf(state, state, style.color != nullptr));
  if (const std::string time = Duration(run.created_us(), run.ended_us(), now); !time.empty()) {
    text += (HasEnded(run.status()) ? "  in " : "  for ") + time;
  }
  text += "  (" + Counts(run) + ")\n";
  if (!run.reason().empty()) text += "  " + Printable(run.reason()) + "\n";
  // Where there are no teams all are in the default one.
  if (!run.team().empty() && run.team() != kTeamOfAll) {
    text += fmt::format("  Team {}\n", Printable(run.team()));
  }
  text += OrderLines(run);
  if (run.forgotten_us() != 0) {
    text += fmt::format("  Outputs and logs are deleted since {}: their retention had ended\n",
                        IsoTime(run.forgotten_us()));
  }
  text += StepTable(run, now, style) + OutputLines(run);
  return text;
}

}  // namespace potok::client
