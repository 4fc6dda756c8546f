// Orders, reports and hellos between their C++ and their wire form.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/link/link.h"
#include "potok/v1/agents.pb.h"

namespace potok::agent {

v1::AttemptId ToProto(const AttemptKey& key);
AttemptKey FromProto(const v1::AttemptId& id);

v1::Report ToProto(const Report& report);
// INVALID_ARGUMENT if it has no event or an unreadable digest.
absl::StatusOr<Report> FromProto(const v1::Report& report);

v1::Hello ToProto(const Hello& hello);

// INVALID_ARGUMENT, naming what, for digests and names that are none.
absl::StatusOr<AttemptOrder> FromProto(const AttemptKey& key, const v1::StartAttempt& start);

// What a message of the server says, one word per order.
std::vector<ServerWord> WordsOf(const v1::ServerMessage& message);

// The contents of the files `order` and `report` of an attempt.
absl::StatusOr<AttemptOrder> ParseOrder(const AttemptKey& key, const std::string& serialized);
std::string SerializeReport(const Report& report);
absl::StatusOr<Report> ParseReport(const std::string& serialized);

}  // namespace potok::agent
