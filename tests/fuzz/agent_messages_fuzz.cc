// What agents and server say to each other, read by both. The first byte says which message it is.
#include "agent/link/wire.h"
#include "server/rpc/convert.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

// A report as it goes from an agent's disk to the server: what the agent reads, the server reads.
void CheckReport(const v1::Report& message) {
  const auto report = agent::FromProto(message);
  POTOK_CHECK(report.ok() == server::FromProto(message).ok());
  if (!report.ok()) return;
  const auto again = agent::ParseReport(agent::SerializeReport(*report));
  POTOK_CHECK(again.ok() && *again == *report);
  POTOK_CHECK(server::FromProto(agent::ToProto(*report)).ok());
}

void CheckUpward(const std::string& bytes) {
  v1::AgentMessage message;
  if (!ReadMessage(bytes, &message)) return;
  server::FromProto(message.hello(), 1).IgnoreError();
  for (const v1::Report& report : message.hello().unacknowledged()) CheckReport(report);
  for (const v1::Report& report : message.reports().reports()) CheckReport(report);
}

// What an agent says of files, whose names are any bytes, reaches the server.
void CheckWords(const std::string& bytes) {
  const agent::Report report{{1, 2, 3}, agent::FailedReport{.message = bytes}};
  v1::Report message;
  POTOK_CHECK(message.ParseFromString(agent::SerializeReport(report)));
  CheckReport(message);
}

// An order is kept on the disk and read again after a restart.
void CheckOrder(const agent::StartOrder& start) {
  const auto again = agent::ParseOrder(start.order.key, start.serialized);
  POTOK_CHECK(again.ok() && again->command == start.order.command &&
              again->timeout == start.order.timeout);
  POTOK_CHECK(agent::CheckNames(*again).ok());
}

void CheckDownward(const std::string& bytes) {
  v1::ServerMessage message;
  if (!ReadMessage(bytes, &message)) return;
  for (const agent::ServerWord& word : agent::WordsOf(message)) {
    if (const auto* start = std::get_if<agent::StartOrder>(&word)) CheckOrder(*start);
  }
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  if (size == 0) return 0;
  const std::string bytes = TextOf(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      CheckUpward(bytes);
      break;
    case 1:
      CheckDownward(bytes);
      break;
    default:
      CheckWords(bytes);
  }
  agent::ParseOrder({1, 2, 3}, bytes).IgnoreError();
  agent::ParseReport(bytes).IgnoreError();
  return 0;
}
