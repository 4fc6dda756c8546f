// P9: the output of a step on its way to whoever follows it.
#include <unistd.h>

#include <thread>

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/machine.h"
#include "tests/bench/reference_server.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

constexpr std::size_t kStampBytes = 21;  // of step.cc

double MicrosOf(const std::string& stamp) {
  return std::stod(stamp) / 1e3;
}

// Follows one step's output to its end. `arrived` gets each piece and when it was there.
absl::Status Follow(Stack& stack,
                    const std::string& command,
                    const std::function<void(const std::string& data, double at)>& arrived) {
  v1::PipelineSpec spec;
  spec.mutable_settings()->set_force_rerun(true);
  v1::Step& step = *spec.add_steps();
  step.set_name("main");
  step.set_command(command);
  client::RunsClient runs(stack.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::CreateRunResponse created, runs.Create(spec, "potok-bench"));
  v1::LogsRequest request;
  request.set_name(created.name());
  request.set_follow(true);
  return runs.Logs(request,
                   [&](const v1::LogsResponse& response) { arrived(response.data(), NowMicros()); },
                   {});
}

// From the step's first instruction to the follower's last byte.
absl::StatusOr<Measure> FollowBytes(
    Stack& stack, const WorkloadOptions& options, std::int64_t bytes, int size, double units) {
  const std::int64_t count = bytes / size;
  std::string head;
  std::int64_t received = 0;
  double last = 0;
  const StackCpu before = stack.ReadCpu();
  POTOK_RETURN_IF_ERROR(Follow(stack,
                               fmt::format("{} write {} {}", options.step, size, count),
                               [&](const std::string& data, double at) {
                                 if (head.size() < kStampBytes) head += data.substr(0, kStampBytes);
                                 received += static_cast<std::int64_t>(data.size());
                                 last = at;
                               }));
  const std::int64_t wanted = count * size + static_cast<std::int64_t>(kStampBytes);
  if (received != wanted) {
    return absl::DataLossError(
        fmt::format("{} of {} bytes of a step's output arrived", received, wanted));
  }
  Measure measure{last - MicrosOf(head.substr(0, kStampBytes))};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), units);
  return measure;
}

Contest BytesContest(const WorkloadOptions& options,
                     Stack& stack,
                     int size,
                     const std::string& title,
                     const std::string& unit) {
  const std::int64_t bytes = options.log_bytes;
  const bool by_bytes = unit == "MB";
  const double units = static_cast<double>(bytes) / (by_bytes ? 1e6 : size);
  Contest contest{"P9", title, units, unit, {RateColumn(unit + "/s")}};
  contest.contestants.push_back(
      {"half a gRPC stream", [options, bytes]() -> absl::StatusOr<Measure> {
         POTOK_ASSIGN_OR_RETURN(const auto reference, ReferenceServer::Start(options.folder));
         POTOK_ASSIGN_OR_RETURN(const double micros, reference->Stream(bytes));
         return Measure{2 * micros};
       }});
  contest.contestants.push_back({"Potok", [&stack, options, bytes, size, units] {
                                   return FollowBytes(stack, options, bytes, size, units);
                                 }});
  return contest;
}

// A line every 5 ms, each with the time at which it was written.
absl::StatusOr<Measure> FollowStamps(Stack& stack, const WorkloadOptions& options) {
  Measure measure;
  std::string waiting;
  const double began = NowMicros();
  const StackCpu before = stack.ReadCpu();
  POTOK_RETURN_IF_ERROR(Follow(stack,
                               fmt::format("{} stamps {} 5000", options.step, options.log_lines),
                               [&](const std::string& data, double at) {
                                 waiting += data;
                                 for (; waiting.size() >= kStampBytes;
                                      waiting.erase(0, kStampBytes)) {
                                   const std::string stamp = waiting.substr(0, kStampBytes);
                                   measure.latency_us.push_back(at - MicrosOf(stamp));
                                 }
                               }));
  measure.wall_us = NowMicros() - began;
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), options.log_lines);
  // The first of all waits for nothing but for the follower to be there.
  if (measure.latency_us.size() > 1) measure.latency_us.erase(measure.latency_us.begin());
  return measure;
}

Contest LatencyContest(const WorkloadOptions& options, Stack& stack) {
  Contest contest{
      "P9",
      fmt::format("{} lines, one every 5 ms: from the write to the follower", options.log_lines),
      static_cast<double>(options.log_lines),
      "line",
      {LatencyColumn(0.5), LatencyColumn(0.99)}};
  contest.less_is_better = true;
  contest.contestants.push_back(
      {"two round trips of gRPC", [options]() -> absl::StatusOr<Measure> {
         const double began = NowMicros();
         POTOK_ASSIGN_OR_RETURN(const auto reference, ReferenceServer::Start(options.folder));
         POTOK_ASSIGN_OR_RETURN(const std::vector<double> trips,
                                reference->RoundTrips(2 * options.log_lines));
         Measure measure{NowMicros() - began};
         for (std::size_t i = 1; i < trips.size(); i += 2) {
           measure.latency_us.push_back(trips[i - 1] + trips[i]);
         }
         return measure;
       }});
  contest.contestants.push_back(
      {"Potok", [&stack, options] { return FollowStamps(stack, options); }});
  return contest;
}

}  // namespace

std::vector<Contest> LogsContests(const WorkloadOptions& options, Stack& stack) {
  const double megabytes = static_cast<double>(options.log_bytes) / 1e6;
  return {BytesContest(options,
                       stack,
                       64 << 10,
                       fmt::format("{:.0f} MB of output in writes of 64 KiB, followed", megabytes),
                       "MB"),
          BytesContest(options,
                       stack,
                       100,
                       fmt::format("{:.0f} MB of output in writes of a line of 100 bytes, followed",
                                   megabytes),
                       "line"),
          LatencyContest(options, stack)};
}

}  // namespace potok::bench
