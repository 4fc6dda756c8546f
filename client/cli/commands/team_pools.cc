#include "client/cli/commands/team_pools.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::int64_t kNoPoolLimit = -1;
constexpr const char* kNone = "none";
constexpr const char* kAmountNames[] = {"cpus", "memory", "gpus", "running_steps"};

// What an option says of one pool: values by the name of what is counted.
struct SaidOfPool {
  std::string pool;
  std::map<std::string, std::string> amounts;
};

absl::Status Wrong(const char* option, const std::string& text, const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("{} '{}': {}; write as {} gpu-cluster:gpus=4,memory=64GiB, or gpu-cluster:none",
                  option,
                  text,
                  why,
                  option));
}

absl::StatusOr<SaidOfPool> SplitPool(const char* option, const std::string& text, bool with_steps) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.first.empty()) return Wrong(option, text, "it names no pool");
  if (parts.second.empty()) return Wrong(option, text, "it says nothing of the pool");
  SaidOfPool said{parts.first, {}};
  if (parts.second == kNone) {
    for (const char* name : kAmountNames) {
      if (with_steps || std::string(name) != "running_steps") said.amounts[name] = kNone;
    }
    return said;
  }
  const std::vector<std::string> pairs = absl::StrSplit(parts.second, ',');
  for (const std::string& pair : pairs) {
    const std::pair<std::string, std::string> amount =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const bool is_known = amount.first == "cpus" || amount.first == "memory" ||
                          amount.first == "gpus" || (with_steps && amount.first == "running_steps");
    if (!is_known) {
      return Wrong(option,
                   text,
                   fmt::format("'{}' is none of cpus, memory, gpus{}",
                               amount.first,
                               with_steps ? ", running_steps" : ""));
    }
    if (amount.second.empty()) return Wrong(option, text, "there is no amount of " + amount.first);
    if (said.amounts.emplace(amount.first, amount.second).second) continue;
    return Wrong(option, text, amount.first + " is there twice");
  }
  return said;
}

absl::StatusOr<std::int64_t> ParseAmount(const std::string& name, const std::string& text) {
  if (name == "memory") return ParseBytes(text);
  if (name == "running_steps") {
    std::int64_t count = 0;
    if (absl::SimpleAtoi(text, &count) && count >= 0) return count;
    return absl::InvalidArgumentError("write a whole number from 0");
  }
  // Thousandths of any number of GPUs, too: two halves are one.
  POTOK_ASSIGN_OR_RETURN(const std::int32_t millis, ParseCpuMillis(text));
  return std::int64_t{millis};
}

void SetLimit(const std::string& name, std::int64_t amount, v1::EditTeamInPool* edit) {
  if (name == "cpus") edit->set_cpu_millis_max(amount);
  if (name == "memory") edit->set_memory_bytes_max(amount);
  if (name == "gpus") edit->set_gpu_millis_max(amount);
  if (name == "running_steps") edit->set_running_steps_max(amount);
}

void SetGuaranteed(const std::string& name, std::int64_t amount, v1::EditTeamInPool* edit) {
  if (name == "cpus") edit->set_cpu_millis_guaranteed(amount);
  if (name == "memory") edit->set_memory_bytes_guaranteed(amount);
  if (name == "gpus") edit->set_gpu_millis_guaranteed(amount);
}

using SetAmount = void (*)(const std::string&, std::int64_t, v1::EditTeamInPool*);

absl::Status TakeOption(const char* option,
                        const std::vector<std::string>& texts,
                        bool is_limit,
                        std::map<std::string, v1::EditTeamInPool>* edits) {
  const SetAmount set = is_limit ? SetLimit : SetGuaranteed;
  std::map<std::string, std::string> seen;
  for (const std::string& text : texts) {
    POTOK_ASSIGN_OR_RETURN(const SaidOfPool said, SplitPool(option, text, is_limit));
    if (!seen.emplace(said.pool, text).second) {
      return Wrong(option, text, "pool " + said.pool + " is there twice");
    }
    v1::EditTeamInPool& edit = (*edits)[said.pool];
    edit.set_pool(said.pool);
    for (const auto& [name, value] : said.amounts) {
      if (value == kNone) {
        set(name, is_limit ? kNoPoolLimit : 0, &edit);
        continue;
      }
      const absl::StatusOr<std::int64_t> amount = ParseAmount(name, value);
      if (!amount.ok()) return Wrong(option, text, std::string(amount.status().message()));
      set(name, *amount, &edit);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TakePools(const std::vector<std::string>& limits,
                       const std::vector<std::string>& guaranteed,
                       v1::EditTeamRequest* request) {
  std::map<std::string, v1::EditTeamInPool> edits;
  POTOK_RETURN_IF_ERROR(TakeOption("--pool-limits", limits, /*is_limit=*/true, &edits));
  POTOK_RETURN_IF_ERROR(TakeOption("--pool-guaranteed", guaranteed, /*is_limit=*/false, &edits));
  for (auto& [pool, edit] : edits) *request->add_pools() = std::move(edit);
  return absl::OkStatus();
}

}  // namespace potok::client
