// What a follower knows of a run, and words for states. Pure.
#pragma once

#include <string>

#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// Azure ML's words: "Running"; "Unknown" for what this program does not know.
std::string NameOf(v1::Status status);
// Case does not count; STATUS_UNSPECIFIED if it is none of them.
v1::Status ParseStatus(const std::string& name);
std::string NameOf(v1::Liveness liveness);

// Completed, Failed, Canceled: nothing more will happen.
bool HasEnded(v1::Status status);

// Brings `known` up to date with a message of Watch: its steps are those that changed.
void MergeChange(const v1::Run& change, v1::Run* known);

}  // namespace potok::client
