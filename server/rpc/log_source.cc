#include "server/rpc/log_source.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {
namespace {

// Large enough that the hops between threads for each do not count; gRPC takes 4 MiB.
constexpr std::size_t kPieceBytes = std::size_t{512} * 1024;
constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();
constexpr int kContextMax = 100;

std::int64_t AbsoluteTime(std::int64_t time_us) {
  return time_us < 0 ? absl::GetCurrentTimeNanos() / 1000 + time_us : time_us;
}

absl::Status OnlyOne(const char* what,
                     const std::vector<std::pair<const char*, std::int64_t>>& of) {
  std::string given;
  int count = 0;
  for (const auto& [name, value] : of) {
    if (value == 0) continue;
    given += (count++ == 0 ? "" : " and ") + std::string(name);
  }
  if (count <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} is said by {}: give one of them", what, given));
}

absl::Status CheckNumbers(const v1::LogsRequest& request) {
  const std::vector<std::pair<const char*, std::int64_t>> numbers = {
      {"end_offset", request.end_offset()},
      {"from_line", request.from_line()},
      {"to_line", request.to_line()},
      {"tail_lines", request.tail_lines()},
      {"context_lines", request.search().context_lines()},
  };
  for (const auto& [name, value] : numbers) {
    if (value < 0) {
      return absl::InvalidArgumentError(
          fmt::format("{} is {}: it cannot be negative", name, value));
    }
  }
  if (request.search().context_lines() > kContextMax) {
    return absl::InvalidArgumentError(fmt::format(
        "context_lines is {}: at most {}", request.search().context_lines(), kContextMax));
  }
  return absl::OkStatus();
}

// A packed log is read by frames.
absl::StatusOr<std::string> ReadUpTo(LogReader& reader, std::int64_t offset, std::size_t bytes) {
  std::string data;
  while (data.size() < bytes) {
    POTOK_ASSIGN_OR_RETURN(
        std::string part,
        reader.Read(offset + static_cast<std::int64_t>(data.size()), bytes - data.size()));
    if (part.empty()) break;
    data = data.empty() ? std::move(part) : data + part;
  }
  return data;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LinePattern>> CheckLogsRequest(
    const v1::LogsRequest& request) {
  POTOK_RETURN_IF_ERROR(CheckNumbers(request));
  POTOK_RETURN_IF_ERROR(OnlyOne("where to begin",
                                {{"offset", request.offset()},
                                 {"from_line", request.from_line()},
                                 {"tail_lines", request.tail_lines()},
                                 {"since_us", request.since_us()}}));
  const std::vector<std::pair<const char*, std::int64_t>> ends = {
      {"end_offset", request.end_offset()},
      {"to_line", request.to_line()},
      {"until_us", request.until_us()}};
  POTOK_RETURN_IF_ERROR(OnlyOne("where to end", ends));
  for (const auto& [name, value] : ends) {
    if (value != 0 && request.follow()) {
      return absl::InvalidArgumentError(
          fmt::format("follow goes on to the end of the log, so {} cannot be given", name));
    }
  }
  if (!request.has_search()) return std::shared_ptr<const LinePattern>();
  return LinePattern::Compile(request.search().pattern(), request.search().ignore_case());
}

LogSource::LogSource(LogReader reader,
                     std::string step,
                     std::uint32_t attempt,
                     const v1::LogsRequest& request,
                     std::shared_ptr<const LinePattern> pattern,
                     std::optional<std::int64_t> offset)
    : reader_(std::move(reader)),
      step_(std::move(step)),
      attempt_(attempt),
      request_(request),
      pattern_(std::move(pattern)),
      resume_at_(offset) {}

absl::StatusOr<std::int64_t> LogSource::BeginOfRequest() {
  if (resume_at_) return *resume_at_;
  if (request_.from_line() > 0) return reader_.BeginOfLine(request_.from_line() - 1);
  if (request_.tail_lines() > 0) return reader_.BeginOfLast(request_.tail_lines());
  if (request_.since_us() != 0) return reader_.BeginOfTime(AbsoluteTime(request_.since_us()));
  if (request_.offset() >= 0) return request_.offset();
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, reader_.Size());
  return std::max<std::int64_t>(0, size + request_.offset());
}

absl::StatusOr<std::int64_t> LogSource::EndOfRequest() {
  if (request_.end_offset() > 0) return request_.end_offset();
  if (request_.to_line() > 0) return reader_.BeginOfLine(request_.to_line());
  if (request_.until_us() != 0) return reader_.EndOfTime(AbsoluteTime(request_.until_us()));
  return kNoEnd;
}

absl::Status LogSource::Place() {
  if (std::exchange(placed_, true)) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(offset_, BeginOfRequest());
  POTOK_ASSIGN_OR_RETURN(end_, EndOfRequest());
  if (pattern_ == nullptr) return absl::OkStatus();
  // Lines are searched whole.
  POTOK_ASSIGN_OR_RETURN(const std::int64_t lines, reader_.LinesBefore(offset_));
  POTOK_ASSIGN_OR_RETURN(offset_, reader_.BeginOfLine(lines));
  search_.emplace(
      pattern_, static_cast<std::size_t>(request_.search().context_lines()), offset_, lines);
  return absl::OkStatus();
}

void LogSource::Describe(v1::LogsResponse* response) const {
  response->Clear();
  response->set_step(step_);
  response->set_attempt(static_cast<std::int32_t>(attempt_));
}

absl::StatusOr<LogSource::Outcome> LogSource::Next(v1::LogsResponse* response) {
  POTOK_RETURN_IF_ERROR(Place());
  if (offset_ >= end_) return Outcome::kDone;
  const auto room = static_cast<std::size_t>(
      std::min<std::int64_t>(end_ - offset_, static_cast<std::int64_t>(kPieceBytes)));
  POTOK_ASSIGN_OR_RETURN(std::string data, ReadUpTo(reader_, offset_, room));
  if (data.empty()) return Outcome::kAtEnd;
  const std::int64_t begin = offset_;
  offset_ += static_cast<std::int64_t>(data.size());
  if (search_) {
    std::vector<FoundLine> lines;
    search_->Add(data, request_.search().count_only() ? nullptr : &lines);
    return Found(std::move(lines), response) ? Outcome::kPiece : Outcome::kNothing;
  }
  Describe(response);
  response->set_offset(begin);
  response->set_data(std::move(data));
  if (request_.with_times()) {
    for (const LogPoint& point : reader_.Times(begin, offset_, kPieceBytes)) {
      v1::LogTime& time = *response->add_times();
      time.set_offset(point.offset);
      time.set_time_us(point.time_us);
    }
  }
  return Outcome::kPiece;
}

bool LogSource::Found(std::vector<FoundLine> lines, v1::LogsResponse* response) {
  if (lines.empty()) return false;
  Describe(response);
  response->set_offset(lines.front().offset);
  response->set_read_to(search_->read_to());
  for (FoundLine& found : lines) {
    v1::LogLine& line = *response->add_lines();
    line.set_number(found.number);
    line.set_offset(found.offset);
    line.set_is_match(found.is_match);
    if (request_.with_times()) {
      line.set_time_us(reader_.Times(found.offset, found.offset + 1, 0).front().time_us);
    }
    line.set_text(std::move(found.text));
  }
  return true;
}

bool LogSource::Conclude(v1::LogsResponse* response) {
  if (!search_ || std::exchange(concluded_, true)) return false;
  const bool counts = request_.search().count_only();
  std::vector<FoundLine> lines;
  search_->End(counts ? nullptr : &lines);
  if (!counts) return Found(std::move(lines), response);
  Describe(response);
  response->set_read_to(search_->read_to());
  response->set_matches(search_->matches());
  return true;
}

}  // namespace potok::server
