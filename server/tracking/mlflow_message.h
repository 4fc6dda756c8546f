// Requests and answers of MLflow's REST API as JSON: reading of fields with MLflow's limits, and
// its forms of runs, experiments and errors. Pure. For the files of this room: it brings the JSON
// library.
//
// Source: mlflow/protos/service.proto and mlflow/utils/validation.py of MLflow 2 and 3.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/tracking_store.h"
#include "server/tracking/tracked_run.h"

namespace potok::server {

using Json = nlohmann::json;

// The request's object. INVALID_ARGUMENT if it is none, or has texts with zeros in them.
absl::StatusOr<Json> ParseObject(const std::string& body);

// A field that must be there as a text that is not empty. INVALID_ARGUMENT.
absl::StatusOr<std::string> TextOf(const Json& request, const char* name);
// "" if it is not there.
absl::StatusOr<std::string> OptionalTextOf(const Json& request, const char* name);
// Numbers come as numbers or as texts (protobuf's JSON). `otherwise` if it is not there.
absl::StatusOr<std::int64_t> IntegerOf(const Json& request,
                                       const char* name,
                                       std::int64_t otherwise);
// run_id, or run_uuid as it once was called.
absl::StatusOr<std::string> RunIdOf(const Json& request);
// A list of objects; empty if it is not there.
absl::StatusOr<std::vector<Json>> ObjectsOf(const Json& request, const char* name);

// One metric, parameter or tag of a request. INVALID_ARGUMENT for names that MLflow refuses; texts
// beyond its limits are cut, as MLflow does.
absl::StatusOr<MetricValue> MetricOf(const Json& metric);
absl::StatusOr<NameAndText> ParamOf(const Json& param);
absl::StatusOr<NameAndText> TagOf(const Json& tag);
// "FINISHED", or its number.
absl::StatusOr<TrackedStatus> RunStatusOf(const Json& status);

// The answers' forms.
Json MetricJson(const MetricValue& metric);
Json RunInfoJson(const TrackedRun& run);
Json RunJson(const TrackedRunData& data);
Json ExperimentJson(const std::string& name);

std::string ArtifactUriOf(const std::string& holder);

// {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": ...} and its HTTP status.
std::string ErrorText(const absl::Status& status);
int HttpStatusOfMlflow(const absl::Status& status);

}  // namespace potok::server
