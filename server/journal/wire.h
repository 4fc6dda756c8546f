// Values to messages and back, for the codec only.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "potok/journal/v1/journal.pb.h"
#include "server/domain/change.h"

namespace potok::server {

namespace wire = ::potok::journal::v1;

void ToWire(const Digest& digest, wire::Digest* message);
// DATA_LOSS if it has not 32 bytes.
absl::Status FromWire(const wire::Digest& message, Digest* digest);

void ToWire(const OutputValue& output, wire::OutputValue* value);
absl::Status FromWire(const wire::OutputValue& value, OutputValue* output);

void ToWire(const StepState& state, wire::StepState* message);
absl::Status FromWire(const wire::StepState& message, StepState* state);

void ToWire(const Usage& usage, wire::Usage* message);
Usage FromWire(const wire::Usage& message);

void ToWire(const HeldInputs& held, wire::HeldInputs* message);
HeldInputs FromWire(const wire::HeldInputs& message);
void ToWire(const MemoryRaise& raise, wire::MemoryRaise* message);
MemoryRaise FromWire(const wire::MemoryRaise& message);

void ToWire(const Change& change, wire::Change* message);
absl::Status FromWire(const wire::Change& message, Change* change);

void ToWire(const RunAdded& run, wire::RunAdded* message);
absl::Status FromWire(const wire::RunAdded& message, RunAdded* run);

void ToWire(const MachineChanged& machine, wire::MachineChanged* message);
absl::Status FromWire(const wire::MachineChanged& message, MachineChanged* machine);

// Of these all bytes are values.
void ToWire(const TeamChanged& team, wire::TeamChanged* message);
void FromWire(const wire::TeamChanged& message, TeamChanged* team);
void ToWire(const TeamUsed& used, wire::TeamUsed* message);
void FromWire(const wire::TeamUsed& message, TeamUsed* used);

void ToWire(const PoolChanged& pool, wire::PoolChanged* message);
PoolChanged FromWire(const wire::PoolChanged& message);

using Pairs = google::protobuf::RepeatedPtrField<wire::Pair>;
void ToWire(const std::map<std::string, std::string>& map, Pairs* pairs);
std::map<std::string, std::string> FromWire(const Pairs& pairs);

}  // namespace potok::server
