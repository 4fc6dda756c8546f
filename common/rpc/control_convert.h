// Control of steps between its C++ and its wire form; inside common/rpc.
#pragma once

#include "absl/status/statusor.h"
#include "common/pipeline/control.h"
#include "potok/v1/pipeline.pb.h"

namespace potok {

v1::Control ToProto(const Control& control);
// INVALID_ARGUMENT for a kind that is not known, and as FromProto of the body's steps.
absl::StatusOr<Control> FromProto(const v1::Control& control);

}  // namespace potok
