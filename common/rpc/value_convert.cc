#include "common/rpc/value_convert.h"

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

v1::Digest ToProto(const Digest& digest) {
  v1::Digest out;
  out.set_hash(digest.Hex());
  out.set_size_bytes(digest.size_bytes);
  return out;
}

absl::StatusOr<Digest> FromProto(const v1::Digest& digest) {
  return ParseDigest(digest.hash(), digest.size_bytes());
}

v1::Artifact ToProto(const Artifact& artifact) {
  v1::Artifact out;
  *out.mutable_digest() = ToProto(artifact.digest);
  out.set_is_folder(artifact.is_folder);
  out.set_total_bytes(artifact.total_bytes);
  out.set_file_name(artifact.file_name);
  return out;
}

absl::StatusOr<Artifact> FromProto(const v1::Artifact& artifact) {
  Artifact out;
  POTOK_ASSIGN_OR_RETURN(out.digest, FromProto(artifact.digest()));
  out.is_folder = artifact.is_folder();
  out.total_bytes = artifact.total_bytes();
  out.file_name = artifact.file_name();
  return out;
}

v1::Resources ToProto(const Resources& resources) {
  v1::Resources out;
  out.set_memory_bytes(resources.memory_bytes);
  out.set_cpu_millis(resources.cpu_millis);
  out.set_gpus(resources.gpu_millis / kMillisOfGpu);
  out.set_gpu_millis(resources.gpu_millis);
  out.set_disk_bytes(resources.disk_bytes);
  out.mutable_named()->insert(resources.named.begin(), resources.named.end());
  return out;
}

absl::StatusOr<Resources> FromProto(const v1::Resources& resources) {
  Resources out;
  out.memory_bytes = resources.memory_bytes();
  out.cpu_millis = resources.cpu_millis();
  out.gpu_millis = GpuMillisOf(resources);
  out.disk_bytes = resources.disk_bytes();
  bool is_negative =
      out.memory_bytes < 0 || out.cpu_millis < 0 || out.gpu_millis < 0 || out.disk_bytes < 0;
  for (const auto& [name, count] : resources.named()) {
    if (count < 0) is_negative = true;
    if (count != 0) out.named[name] = count;
  }
  if (!is_negative) return out;
  return absl::InvalidArgumentError("resources cannot be negative: " +
                                    resources.ShortDebugString());
}

std::int32_t GpuMillisOf(const v1::Resources& resources) {
  return resources.gpu_millis() != 0 ? resources.gpu_millis() : MillisOfGpus(resources.gpus());
}

// The wire enums are the C++ ones in the same order; those that may not be absent start at 1.
v1::ValueType ToProto(ValueType type) {
  return static_cast<v1::ValueType>(static_cast<int>(type) + 1);
}
v1::Mode ToProto(Mode mode) {
  return static_cast<v1::Mode>(mode);
}

absl::StatusOr<ValueType> FromProto(v1::ValueType type) {
  if (type <= v1::VALUE_TYPE_UNSPECIFIED || type > v1::VALUE_TYPE_TRITON_MODEL) {
    return absl::InvalidArgumentError(
        fmt::format("value type {} is not known to this server", static_cast<int>(type)));
  }
  return static_cast<ValueType>(type - 1);
}

absl::StatusOr<Mode> FromProto(v1::Mode mode) {
  if (mode < v1::MODE_UNSPECIFIED || mode > v1::MODE_EVAL_DOWNLOAD) {
    return absl::InvalidArgumentError(
        fmt::format("mode {} is not known to this server", static_cast<int>(mode)));
  }
  return static_cast<Mode>(mode);
}

}  // namespace potok
