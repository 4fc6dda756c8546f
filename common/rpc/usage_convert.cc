#include "common/rpc/usage_convert.h"

#include <algorithm>

namespace potok {

v1::Usage ToProto(const Usage& usage) {
  v1::Usage out;
  out.set_peak_memory_bytes(usage.peak_memory_bytes);
  out.set_memory_bytes(usage.memory_bytes);
  out.set_cpu_us(absl::ToInt64Microseconds(usage.cpu_time));
  out.set_wall_us(absl::ToInt64Microseconds(usage.wall_time));
  if (usage.read_bytes) out.set_read_bytes(*usage.read_bytes);
  if (usage.written_bytes) out.set_written_bytes(*usage.written_bytes);
  if (usage.gpu_utilization) out.set_gpu_utilization(*usage.gpu_utilization);
  out.set_gpu_peak_memory_bytes(usage.gpu_peak_memory_bytes);
  out.set_child_out_of_memory(usage.child_out_of_memory);
  if (usage.fetched_bytes) out.set_fetched_bytes(*usage.fetched_bytes);
  if (usage.found_bytes) out.set_found_bytes(*usage.found_bytes);
  return out;
}

Usage FromProto(const v1::Usage& usage) {
  const auto known = [](std::int64_t number) { return std::max<std::int64_t>(number, 0); };
  Usage out;
  out.peak_memory_bytes = known(usage.peak_memory_bytes());
  out.memory_bytes = known(usage.memory_bytes());
  out.cpu_time = absl::Microseconds(known(usage.cpu_us()));
  out.wall_time = absl::Microseconds(known(usage.wall_us()));
  if (usage.has_read_bytes() && usage.read_bytes() >= 0) out.read_bytes = usage.read_bytes();
  if (usage.has_written_bytes() && usage.written_bytes() >= 0) {
    out.written_bytes = usage.written_bytes();
  }
  // Comparisons with what is no number are false.
  if (usage.has_gpu_utilization() && usage.gpu_utilization() >= 0 && usage.gpu_utilization() <= 1) {
    out.gpu_utilization = usage.gpu_utilization();
  }
  out.gpu_peak_memory_bytes = known(usage.gpu_peak_memory_bytes());
  out.child_out_of_memory = usage.child_out_of_memory();
  if (usage.has_fetched_bytes()) out.fetched_bytes = known(usage.fetched_bytes());
  if (usage.has_found_bytes()) out.found_bytes = known(usage.found_bytes());
  return out;
}

}  // namespace potok
