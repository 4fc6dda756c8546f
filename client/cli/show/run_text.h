// Runs and steps as text for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/text/table.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// How long a step has run, or ran; empty before it started. `now` stands in for an end.
std::string StepTime(const v1::StepStatus& step, absl::Time now);

// What is worth saying beside a step's state: why it failed, what it waits for, where it was reused
// from.
std::string StepNote(const v1::StepStatus& step);

// "12:03:11 train  Running  on gpu-1": a line for a step that has just come to this state.
std::string StepChangeLine(const v1::StepStatus& step, absl::Time now, absl::TimeZone zone);

// A line for each step, of more than 50 for those that did not complete; "" without steps.
std::string StepTable(const v1::Run& run, absl::Time now, const TableStyle& style = {});

// What a step's latest attempt used: "peak 3.1 GiB memory, 12.3 s of CPU time, read 2.0 GiB, wrote
// 1 MiB, GPUs 83 % busy, 20 GiB of their memory"; empty if nothing is known.
std::string UsageText(const v1::StepStatus& step);

// A line for each step of which it is known what it used, of the first 50 of them, and below it
// what is worth knowing of what it asks for; "" if there is nothing.
std::string UsageLines(const v1::Run& run);

// A line for each step whose latest attempt ran in something else than its machine itself, of the
// first 50 of them: "train  container python:3.11@sha256:..."; "" if there is none.
std::string RuntimeLines(const v1::Run& run);

// The whole run, for the end of a follow and for `job show`: a line for each step (of more than 50
// those that did not complete), the outputs and how to get them.
std::string RunSummary(const v1::Run& run, absl::Time now, const TableStyle& style = {});

// "12 MiB folder", "1.0 KiB file", or the text of a primitive output.
std::string OutputText(const v1::OutputValue& output);

}  // namespace potok::client
