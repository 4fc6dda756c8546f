#include "server/journal/codec.h"

#include <google/protobuf/arena.h>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/wire.h"

namespace potok::server {

namespace {

// A large turn is thousands of small messages; an arena makes them one allocation each 64 KiB.
google::protobuf::ArenaOptions LargeBlocks() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 4096;
  options.max_block_size = 65536;
  return options;
}

template <class Message, class Value>
std::string EncodeOne(const Value& value) {
  Message message;
  ToWire(value, &message);
  return message.SerializeAsString();
}

template <class Message, class Value>
absl::StatusOr<Value> DecodeOne(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) {
    return absl::DataLossError(fmt::format(
        "{} bytes are not a {} message", bytes.size(), Message::descriptor()->full_name()));
  }
  Value value;
  POTOK_RETURN_IF_ERROR(FromWire(message, &value));
  return value;
}

}  // namespace

std::string Encode(const std::vector<Change>& changes) {
  google::protobuf::Arena arena(LargeBlocks());
  auto* batch = google::protobuf::Arena::CreateMessage<wire::Batch>(&arena);
  batch->mutable_changes()->Reserve(static_cast<int>(changes.size()));
  for (const Change& change : changes) ToWire(change, batch->add_changes());
  return batch->SerializeAsString();
}

absl::StatusOr<std::vector<Change>> Decode(const std::string& bytes) {
  google::protobuf::Arena arena(LargeBlocks());
  auto* batch = google::protobuf::Arena::CreateMessage<wire::Batch>(&arena);
  if (!batch->ParseFromString(bytes)) {
    return absl::DataLossError(
        fmt::format("{} bytes are not a batch of changes (damaged, or not Potok's)", bytes.size()));
  }
  std::vector<Change> changes(static_cast<std::size_t>(batch->changes_size()));
  for (int i = 0; i < batch->changes_size(); ++i) {
    const absl::Status status = FromWire(batch->changes(i), &changes[static_cast<std::size_t>(i)]);
    if (status.ok()) continue;
    return absl::DataLossError(fmt::format(
        "change {} of {}: {}", i + 1, batch->changes_size(), std::string(status.message())));
  }
  return changes;
}

std::string EncodeStepState(const StepState& state) {
  return EncodeOne<wire::StepState>(state);
}
absl::StatusOr<StepState> DecodeStepState(const std::string& bytes) {
  return DecodeOne<wire::StepState, StepState>(bytes);
}

std::string EncodeAttemptFacts(const std::optional<Usage>& usage,
                               const std::optional<MemoryRaise>& raise,
                               const std::string& runtime,
                               const std::optional<HeldInputs>& held) {
  wire::AttemptFacts message;
  if (usage.has_value()) ToWire(*usage, message.mutable_usage());
  if (raise.has_value()) ToWire(*raise, message.mutable_raise());
  message.set_runtime(runtime);
  if (held.has_value()) ToWire(*held, message.mutable_held());
  return message.SerializeAsString();
}
absl::Status DecodeAttemptFacts(const std::string& bytes,
                                std::optional<Usage>* usage,
                                std::optional<MemoryRaise>* raise,
                                std::string* runtime,
                                std::optional<HeldInputs>* held) {
  wire::AttemptFacts message;
  if (!message.ParseFromString(bytes)) {
    return absl::DataLossError(
        fmt::format("{} bytes do not say what an attempt used", bytes.size()));
  }
  usage->reset();
  raise->reset();
  if (message.has_usage()) *usage = FromWire(message.usage());
  if (message.has_raise()) *raise = FromWire(message.raise());
  *runtime = message.runtime();
  held->reset();
  if (message.has_held()) *held = FromWire(message.held());
  return absl::OkStatus();
}

std::string EncodeRunAdded(const RunAdded& run) {
  return EncodeOne<wire::RunAdded>(run);
}
absl::StatusOr<RunAdded> DecodeRunAdded(const std::string& bytes) {
  return DecodeOne<wire::RunAdded, RunAdded>(bytes);
}

std::string EncodeMachineChanged(const MachineChanged& machine) {
  return EncodeOne<wire::MachineChanged>(machine);
}
absl::StatusOr<MachineChanged> DecodeMachineChanged(const std::string& bytes) {
  return DecodeOne<wire::MachineChanged, MachineChanged>(bytes);
}

}  // namespace potok::server
