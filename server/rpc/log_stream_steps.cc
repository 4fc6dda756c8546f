// Which steps and attempts a log stream reads, as they begin and end.
#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/rpc/log_stream.h"

namespace potok::server {

namespace {

bool IsCountedFromNow(const v1::LogsRequest& request) {
  return request.tail_lines() > 0 || request.offset() < 0 || request.since_us() != 0;
}
}  // namespace

absl::Status LogStream::ChooseSteps(const RunRow& row) {
  using Found = std::vector<std::pair<std::uint32_t, std::string>>;
  const std::vector<std::string> patterns(request_.steps().begin(), request_.steps().end());
  POTOK_ASSIGN_OR_RETURN(const Found found,
                         context_.view.FindSteps(row, request_.step(), patterns));
  MutexLock lock(mutex_);
  run_ = row.added.id;
  known_steps_ = std::max(known_steps_, row.added.steps + row.added_steps);
  for (const auto& [index, name] : found) steps_[index].name = name;
  for (const v1::LogPosition& position : request_.resume_at()) {
    const auto step = std::ranges::find_if(
        steps_, [&](const auto& entry) { return entry.second.name == position.step(); });
    if (step == steps_.end()) {
      return absl::InvalidArgumentError(fmt::format(
          "resume_at names the step '{}', which is not among those asked for", position.step()));
    }
    if (position.attempt() < 1 || position.offset() < 0) {
      return absl::InvalidArgumentError("resume_at needs an attempt from 1 and an offset from 0");
    }
    step->second.resume_at = &position;
  }
  return absl::OkStatus();
}

// Which attempts there are, and which of the steps have ended. False once nothing more is to be
// learnt.
bool LogStream::LookAtSteps() {
  RunId run = 0;
  std::int64_t after = 0;
  {
    MutexLock lock(mutex_);
    if (ended_) return false;
    run = run_;
    after = seen_revision_;
  }
  const auto rows = context_.view.reader().GetSteps(run, after);
  if (!rows.ok()) {
    End(rows.status());
    return false;
  }
  if (!LearnNewSteps(run, *rows)) return false;
  MutexLock lock(mutex_);
  for (const StepRow& row : *rows) {
    seen_revision_ = std::max(seen_revision_, row.revision);
    const AttemptKey log = LogOf(run, row);
    if (log.step() == StepKey{run, row.index}) {
      LookAtStep(row.index, row.attempt, IsTerminal(row.state));
    } else {
      LookAtReusedStep(row.index, log);
    }
  }
  looked_ = true;
  return steps_ended_ < steps_.size();
}

// Steps that control steps have made since the steps were chosen. False if that cannot be found
// out.
bool LogStream::LearnNewSteps(RunId run, const std::vector<StepRow>& rows) {
  {
    MutexLock lock(mutex_);
    if (rows.empty() || rows.back().index < known_steps_) return true;
  }
  const auto row = context_.view.reader().GetRunById(run);
  const absl::Status chosen = row.ok() ? ChooseSteps(*row) : row.status();
  if (!chosen.ok()) End(chosen);
  return chosen.ok();
}

void LogStream::LookAtStep(std::uint32_t index, std::uint32_t attempt, bool ended) {
  const auto found = steps_.find(index);
  if (found == steps_.end()) return;
  WantedStep& step = found->second;
  const auto only = static_cast<std::uint32_t>(std::max(0, request_.attempt()));
  // A later attempt says that the one asked for has ended.
  const bool nothing_comes = ended || (only > 0 && attempt > only);
  if (nothing_comes && !step.ended) ++steps_ended_;
  step.ended = step.ended || nothing_comes;
  const bool is_read = step.attempts > 0;
  std::uint32_t from = step.attempts + 1;
  if (step.attempts == 0) {
    from = step.resume_at != nullptr ? static_cast<std::uint32_t>(step.resume_at->attempt())
                                     : std::max(attempt, 1U);
  }
  if (only > 0) from = only;
  const std::uint32_t to = only > 0 ? only : attempt;
  for (std::uint32_t number = from; number <= to && number > step.attempts; ++number) {
    AddReading({run_, index, number}, step, step.ended || number < attempt);
    step.attempts = number;
  }
  if (!is_read) return;
  for (const std::shared_ptr<Reading>& reading : readings_) {
    if (reading->key.index != index || reading->ended) continue;
    reading->ended = step.ended || reading->key.attempt < attempt;
    reading->ready = reading->ready || reading->ended;
  }
}

// What it would have written is what its source wrote.
void LogStream::LookAtReusedStep(std::uint32_t index, const AttemptKey& source) {
  const auto found = steps_.find(index);
  if (found == steps_.end() || found->second.ended) return;
  WantedStep& step = found->second;
  step.ended = true;
  ++steps_ended_;
  const auto only = static_cast<std::uint32_t>(std::max(0, request_.attempt()));
  if (only > 0 && only != source.attempt) return;
  AddReading(source, step, /*ended=*/true);
  step.attempts = source.attempt;
}

void LogStream::AddReading(const AttemptKey& key, const WantedStep& step, bool ended) {
  const std::uint32_t attempt = key.attempt;
  std::optional<std::int64_t> offset;
  if (step.resume_at != nullptr) {
    const bool is_named = static_cast<std::uint32_t>(step.resume_at->attempt()) == attempt;
    offset = is_named ? step.resume_at->offset() : 0;
  } else if (step.attempts > 0 || (looked_ && IsCountedFromNow(request_))) {
    offset = 0;  // of one that joins, all
  }
  readings_.push_back(std::make_shared<Reading>(
      key, LogSource(context_.logs.ReaderOf(key), step.name, attempt, request_, pattern_, offset)));
  readings_.back()->ended = ended;
}

}  // namespace potok::server
