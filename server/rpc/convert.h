// Between the API's messages and the domain's values. Pure.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "potok/v1/agents.pb.h"
#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"
#include "server/domain/effect.h"
#include "server/domain/event.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"
#include "server/store/store.h"

namespace potok::server {

// What running attempts use, as agents last said.
using LiveUsage = std::map<AttemptKey, Usage>;

v1::AttemptId ToProto(const AttemptKey& key);
AttemptKey FromProto(const v1::AttemptId& id);

// INVALID_ARGUMENT for reports without an event, or with digests that are none.
absl::StatusOr<Report> FromProto(const v1::Report& report);
// INVALID_ARGUMENT when the name is not [A-Za-z0-9][A-Za-z0-9_.-]{0,62}, or what it says cannot be
// (hello_check.h).
absl::StatusOr<MachineHello> FromProto(const v1::Hello& hello, SessionId session);

v1::Order ToProto(const SendOrder& order);

// The words that users see (proto/potok/v1/common.proto). `machine_silent`: the machine of the
// latest attempt is not responding.
v1::Status StatusOf(const StepState& state, bool machine_silent);
v1::Status StatusOf(RunStatus status);
// The opposite of StatusOf(RunStatus); empty for words that no run has.
std::vector<RunStatus> RunStatusesOf(v1::Status status);

v1::OutputValue ToProto(const OutputValue& output);
// All that are known, by number. `pools` are those of `state`; `usage` may hold attempts that
// ended.
std::vector<v1::Machine> MachinesToProto(const State& state,
                                         const Pools& pools,
                                         const LiveUsage& usage);
// Of a lease; 0 for ever.
std::int64_t LeaseMs(absl::Duration lease);
v1::Run ToProto(const RunRow& row);
// Everything but name, path of outputs and log size, which the row does not know.
v1::StepStatus ToProto(const StepRow& row, const std::map<MachineId, MachineChanged>& machines);

}  // namespace potok::server
