// Inputs and outputs between their C++ and their wire form; inside common/rpc.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "potok/v1/pipeline.pb.h"

namespace potok {

// A local path has no wire form (POTOK_CHECK).
void Write(const Input& input, v1::Input* out);
v1::Output ToProto(const Output& output);

// Appends to `ports`. INVALID_ARGUMENT names the port and what of it is not known.
absl::Status ReadPorts(const google::protobuf::RepeatedPtrField<v1::Input>& messages,
                       std::vector<Input>* ports);
absl::Status ReadPorts(const google::protobuf::RepeatedPtrField<v1::Output>& messages,
                       std::vector<Output>* ports);

}  // namespace potok
