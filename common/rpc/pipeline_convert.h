// PipelineSpec between its C++ and its wire form.
#pragma once

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

v1::Output ToProto(const Output& output);
v1::Distribution ToProto(const Distribution& distribution);
v1::ValueType ToProto(ValueType type);
v1::Mode ToProto(Mode mode);

// Local paths and local code have no wire form: the caller has replaced them by artifacts
// (POTOK_CHECK).
v1::PipelineSpec ToProto(const PipelineSpec& spec);

// INVALID_ARGUMENT, naming the field, for enums that are unknown and digests that are none. What
// the pipeline means is judged by common/pipeline/validate.h, not here.
absl::StatusOr<PipelineSpec> FromProto(const v1::PipelineSpec& spec);

}  // namespace potok
