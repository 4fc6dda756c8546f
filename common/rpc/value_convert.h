// Digests, artifacts, resources and the words of ports between their C++ and their wire form.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "potok/v1/pipeline.pb.h"

namespace potok {

v1::Digest ToProto(const Digest& digest);
absl::StatusOr<Digest> FromProto(const v1::Digest& digest);

v1::Artifact ToProto(const Artifact& artifact);
absl::StatusOr<Artifact> FromProto(const v1::Artifact& artifact);

v1::Resources ToProto(const Resources& resources);
// INVALID_ARGUMENT for negative amounts.
absl::StatusOr<Resources> FromProto(const v1::Resources& resources);

// Thousandths of GPUs, also as those said it who know only whole ones.
std::int32_t GpuMillisOf(const v1::Resources& resources);

v1::ValueType ToProto(ValueType type);
v1::Mode ToProto(Mode mode);
// INVALID_ARGUMENT for what this program does not know.
absl::StatusOr<ValueType> FromProto(v1::ValueType type);
absl::StatusOr<Mode> FromProto(v1::Mode mode);

}  // namespace potok
