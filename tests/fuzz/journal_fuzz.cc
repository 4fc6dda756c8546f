// The journal's rows: whatever can be read is written and read again as the same. The first byte
// says what the others are.
#include "potok/journal/v1/journal.pb.h"
#include "server/journal/codec.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

template <class Decode, class Encode>
void CheckRoundTrip(const std::string& bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value.ok()) {
    POTOK_CHECK(value.status().code() == absl::StatusCode::kDataLoss);
    return;
  }
  const std::string written = encode(*value);
  const auto again = decode(written);
  POTOK_CHECK(again.ok() && encode(*again) == written);
}

// The wire format of a message that may be given as text.
template <class Message>
std::string Wire(const std::string& bytes) {
  Message message;
  return bytes.starts_with("#") && ReadMessage(bytes, &message) ? message.SerializeAsString()
                                                                : bytes;
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  namespace wire = potok::journal::v1;
  if (size == 0) return 0;
  const std::string bytes = TextOf(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      CheckRoundTrip(Wire<wire::Batch>(bytes), Decode, Encode);
      break;
    case 1:
      CheckRoundTrip(Wire<wire::StepState>(bytes), DecodeStepState, EncodeStepState);
      break;
    case 2:
      CheckRoundTrip(Wire<wire::RunAdded>(bytes), DecodeRunAdded, EncodeRunAdded);
      break;
    default:
      CheckRoundTrip(Wire<wire::MachineChanged>(bytes), DecodeMachineChanged, EncodeMachineChanged);
  }
  return 0;
}
