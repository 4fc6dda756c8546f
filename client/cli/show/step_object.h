// Steps of runs as the objects that commands print, in Azure ML's words. Pure.
#pragma once

#include "client/cli/text/value.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// Primitives as they are written, data as {mode, path, type}.
Value InputsObject(const google::protobuf::RepeatedPtrField<v1::Input>& inputs);

// What was declared, each with what it has become.
Value OutputsObject(const google::protobuf::RepeatedPtrField<v1::Output>& declared,
                    const google::protobuf::RepeatedPtrField<v1::OutputValue>& values);

// What the step's latest attempt asked for and used: `requested`, `usage` and `resource_notes`.
void AddUsage(const v1::StepStatus& step, Object* members);

// What happened to a step.
Object StateMembers(const v1::StepStatus& step);

// What was asked of a step, and with `step`, unless it is null, what its outputs have become.
Object SpecMembers(const v1::Step& spec, const v1::StepStatus* step);

}  // namespace potok::client
