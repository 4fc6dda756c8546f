// Lineage of an artifact as an object and as text for people. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// What `job lineage` was asked about, if it is no file: RUN/STEP/OUTPUT (a step's name may have
// '/', too), RUN/OUTPUT, potok-artifact:..., sha256:HEX/BYTES. INVALID_ARGUMENT for none of these.
absl::StatusOr<v1::LineageRequest> ParseLineageSubject(const std::string& text);

Value LineageObject(const v1::LineageResponse& lineage);
std::string LineageText(const v1::LineageResponse& lineage,
                        absl::TimeZone zone,
                        const TableStyle& style = {});

}  // namespace potok::client
