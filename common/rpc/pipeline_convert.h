// PipelineSpec between its C++ and its wire form.
#pragma once

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/rpc/port_convert.h"
#include "common/rpc/value_convert.h"
#include "potok/v1/pipeline.pb.h"

namespace potok {

v1::Distribution ToProto(const Distribution& distribution);

// Local paths and local code have no wire form: the caller has replaced them by artifacts
// (POTOK_CHECK).
v1::PipelineSpec ToProto(const PipelineSpec& spec);

// INVALID_ARGUMENT, naming the field, for enums that are unknown and digests that are none. What
// the pipeline means is judged by common/pipeline/validate.h, not here.
absl::StatusOr<PipelineSpec> FromProto(const v1::PipelineSpec& spec);

}  // namespace potok
