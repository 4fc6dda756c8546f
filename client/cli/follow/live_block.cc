#include "client/cli/follow/live_block.h"

#include "client/cli/show/run_text.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::size_t kNameColumnsMax = 40;
constexpr std::size_t kStateColumns = 15;  // of "CancelRequested"
constexpr std::size_t kTimeColumns = 8;

std::string Padded(const std::string& text, std::size_t columns) {
  std::string padded = Shortened(text, columns);
  padded.append(columns - Columns(padded), ' ');
  return padded;
}

bool IsOnMachine(v1::Status status) {
  return status == v1::STATUS_PREPARING || status == v1::STATUS_RUNNING ||
         status == v1::STATUS_FINALIZING || status == v1::STATUS_CANCEL_REQUESTED ||
         status == v1::STATUS_NOT_RESPONDING;
}

std::string StepLine(const v1::StepStatus& step,
                     std::size_t name_columns,
                     absl::Time now,
                     const Screen& screen) {
  std::string end = Padded(StepTime(step, now), kTimeColumns);
  for (const std::string& part : {step.machine(), StepNote(step)}) {
    if (!part.empty()) end += "  " + Printable(part);
  }
  const std::size_t used = 2 + name_columns + 2 + kStateColumns + 2;
  end = Shortened(end, screen.columns > used ? screen.columns - used : 0);
  while (!end.empty() && end.back() == ' ') end.pop_back();
  return fmt::format(
      "  {}  {}  {}",
      Padded(Printable(step.name()), name_columns),
      InColorOf(NameOf(step.status()), Padded(NameOf(step.status()), kStateColumns), screen.color),
      end);
}

std::string Heading(const v1::Run& run, absl::Time now, const Screen& screen) {
  // Not yet told by the server: nothing has passed.
  const absl::Time created = run.created_us() == 0 ? now : absl::FromUnixMicros(run.created_us());
  const absl::Time end = run.ended_us() == 0 ? now : absl::FromUnixMicros(run.ended_us());
  const std::string name = Shortened(Printable(run.name()), screen.columns / 2);
  const std::string rest = fmt::format(
      "  {}/{}  {}", run.steps_completed(), run.steps_total(), ShortDuration(end - created));
  return fmt::format(
      "{}  {}{}", name, InColorOf(NameOf(run.status()), NameOf(run.status()), screen.color), rest);
}

std::string CountsLine(const v1::Run& run, const Screen& screen) {
  std::map<v1::Status, int> counts;
  for (const v1::StepStatus& step : run.steps()) ++counts[step.status()];
  std::string line;
  for (const auto& [status, count] : counts) {
    if (!line.empty()) line += ", ";
    line += fmt::format("{} {}", count, NameOf(status));
  }
  return "  " + Shortened(line, screen.columns > 2 ? screen.columns - 2 : 0);
}

std::size_t NameColumns(const v1::Run& run, const Screen& screen) {
  std::size_t columns = 4;
  for (const v1::StepStatus& step : run.steps()) {
    columns = std::max(columns, Columns(Printable(step.name())));
  }
  return std::min({columns, kNameColumnsMax, std::max<std::size_t>(screen.columns / 3, 4)});
}

}  // namespace

std::vector<std::string> LiveBlock(const v1::Run& run, absl::Time now, const Screen& screen) {
  const std::size_t lines_max = std::max<std::size_t>(screen.rows, 4) - 1;
  const std::size_t name_columns = NameColumns(run, screen);
  std::vector<std::string> lines = {Heading(run, now, screen)};
  if (static_cast<std::size_t>(run.steps_size()) + 1 <= lines_max) {
    for (const v1::StepStatus& step : run.steps()) {
      lines.push_back(StepLine(step, name_columns, now, screen));
    }
    return lines;
  }
  lines.push_back(CountsLine(run, screen));
  std::size_t more = 0;
  for (const v1::StepStatus& step : run.steps()) {
    if (!IsOnMachine(step.status())) continue;
    if (lines.size() + 1 < lines_max) {
      lines.push_back(StepLine(step, name_columns, now, screen));
    } else {
      ++more;
    }
  }
  if (more != 0) lines.push_back(fmt::format("  and {} more on machines", more));
  return lines;
}

}  // namespace potok::client
