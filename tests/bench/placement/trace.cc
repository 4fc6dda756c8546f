#include "tests/bench/placement/trace.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::bench {

namespace {

using server::placing::kWholeGpu;
using server::placing::Machine;
using server::placing::Request;

constexpr std::int64_t kBytesOfMib = 1024LL * 1024;

// One line by the names of its columns.
class Row {
 public:
  Row(std::string path, int line, std::map<std::string, std::string> fields)
      : path_(std::move(path)), line_(line), fields_(std::move(fields)) {}

  const std::string& Text(const std::string& column) const { return fields_.at(column); }

  // A whole number of 0 to `most`; nothing at all is 0.
  absl::StatusOr<std::int64_t> Number(const std::string& column, std::int64_t most) const {
    const std::string& text = Text(column);
    if (text.empty()) return 0;
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || rest != end || number < 0 || number > most) {
      return Problem(fmt::format("{} is '{}', not a whole number of 0 to {}", column, text, most));
    }
    return number;
  }

  absl::Status Problem(const std::string& what) const {
    return absl::InvalidArgumentError(fmt::format("{}:{}: {}", path_, line_, what));
  }

 private:
  std::string path_;
  int line_;
  std::map<std::string, std::string> fields_;
};

std::string WithoutReturn(std::string line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

absl::StatusOr<std::vector<Row>> ReadRows(const std::string& path,
                                          const std::vector<std::string>& columns) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) {
    return absl::InvalidArgumentError(
        fmt::format("{}:1: cannot read a line of column names; give a CSV file that exists", path));
  }
  const std::vector<std::string> names = absl::StrSplit(WithoutReturn(line), ',');
  for (const std::string& column : columns) {
    if (std::find(names.begin(), names.end(), column) == names.end()) {
      return absl::InvalidArgumentError(
          fmt::format("{}:1: no column '{}' in '{}'", path, column, WithoutReturn(line)));
    }
  }
  std::vector<Row> rows;
  for (int number = 2; std::getline(file, line); ++number) {
    line = WithoutReturn(line);
    if (line.empty()) continue;
    const std::vector<std::string> values = absl::StrSplit(line, ',');
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) {
      fields.emplace(names[i], values[i]);
    }
    rows.emplace_back(path, number, std::move(fields));
    if (values.size() != names.size()) {
      return rows.back().Problem(
          fmt::format("{} values for {} columns", values.size(), names.size()));
    }
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError(fmt::format("{}:2: no line after the column names", path));
  }
  return rows;
}

absl::StatusOr<Machine> MachineOf(const Row& row) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t cpu, row.Number("cpu_milli", 100'000'000));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t memory, row.Number("memory_mib", 1'000'000'000));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t gpus, row.Number("gpu", 1024));
  Machine machine;
  machine.cpu_millis = static_cast<std::int32_t>(cpu);
  machine.memory_bytes = memory * kBytesOfMib;
  for (std::int32_t i = 0; i < gpus; ++i) machine.gpus.push_back({row.Text("model"), 0, i});
  return machine;
}

absl::StatusOr<Request> RequestOf(const Row& row) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t cpu, row.Number("cpu_milli", 100'000'000));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t memory, row.Number("memory_mib", 1'000'000'000));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t gpus, row.Number("num_gpu", 1024));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t millis, row.Number("gpu_milli", kWholeGpu));
  if (gpus > 0 && millis == 0) return row.Problem("num_gpu above 0 with a gpu_milli of 0");
  if (gpus > 1 && millis < kWholeGpu) {
    return row.Problem(fmt::format(
        "{} GPUs of {} millis each: a share is of one GPU; several are whole, gpu_milli 1000",
        gpus,
        millis));
  }
  Request request;
  request.cpu_millis = static_cast<std::int32_t>(cpu);
  request.memory_bytes = memory * kBytesOfMib;
  request.gpu_millis = static_cast<std::int32_t>(gpus * millis);
  const std::string& spec = row.Text("gpu_spec");
  if (gpus > 0 && !spec.empty()) {
    const std::set<std::string> models = absl::StrSplit(spec, '|', absl::SkipEmpty());
    request.gpu_models.assign(models.begin(), models.end());
  }
  return request;
}

}  // namespace

absl::StatusOr<std::vector<Machine>> ReadNodes(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<Row> rows,
                         ReadRows(path, {"cpu_milli", "memory_mib", "gpu", "model"}));
  std::vector<Machine> machines;
  for (const Row& row : rows) {
    POTOK_ASSIGN_OR_RETURN(Machine machine, MachineOf(row));
    machines.push_back(std::move(machine));
  }
  if (GpuMillisOf(machines) == 0) {
    return absl::InvalidArgumentError(fmt::format("{}: no machine has a GPU", path));
  }
  return machines;
}

absl::StatusOr<std::vector<Request>> ReadPods(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<Row> rows,
      ReadRows(path, {"cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"}));
  std::vector<Request> requests;
  for (const Row& row : rows) {
    POTOK_ASSIGN_OR_RETURN(Request request, RequestOf(row));
    requests.push_back(std::move(request));
  }
  if (std::none_of(requests.begin(), requests.end(), [](const Request& request) {
        return request.gpu_millis > 0;
      })) {
    return absl::InvalidArgumentError(fmt::format("{}: no task requests a GPU", path));
  }
  return requests;
}

std::int64_t GpuMillisOf(const std::vector<Machine>& machines) {
  std::int64_t millis = 0;
  for (const Machine& machine : machines) {
    millis += static_cast<std::int64_t>(machine.gpus.size()) * kWholeGpu;
  }
  return millis;
}

}  // namespace potok::bench
