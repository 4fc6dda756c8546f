// Runs as the objects that commands print, in Azure ML's words. Pure.
#pragma once

#include <string>

#include "client/cli/text/value.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// A run as Azure ML's job: inputs, outputs, jobs and settings when `run` has its spec. `runs_at` is
// where runs are found, as RunsAt tells it.
Value JobObject(const v1::Run& run, const std::string& runs_at);

// What lists show of a run.
Value JobListItem(const v1::Run& run, const std::string& runs_at);

// What a step is called as a job of its own, which is also what it finds as AZUREML_RUN_ID.
std::string ChildJobName(const std::string& run, const std::string& step);

// Every step of a run as a job of its own, of which the run is the parent: RUN_STEP.
Array ChildJobs(const v1::Run& run, const std::string& runs_at);

// The URI below which the runs of a server are, for services.Studio.endpoint: `web` if it is not
// empty; else the address, as potok+unix:/var/lib/potok/server.sock/runs or
// potok://gpu-1:7461/runs, which names a run but is no page.
std::string RunsAt(const std::string& address, const std::string& web);

}  // namespace potok::client
