// What the fuzz targets share. A target is a file with LLVMFuzzerTestOneInput, which libFuzzer
// calls on one thread with bytes of its own making; it must return 0, and a crash is a finding.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/check.h"

// Named by libFuzzer (LLVM's documentation, "libFuzzer").
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace potok {

inline std::string TextOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Reads a message: protobuf's text format if the bytes begin with '#' (there a comment), for
// mutations then hit on whole fields; otherwise its wire format, as everything that arrives. False
// if it is neither.
bool ReadMessage(const std::string& bytes, google::protobuf::Message* message);

// A folder for this process alone, in TMPDIR; removed when the process ends in good order.
const std::string& PrivateFolder();

}  // namespace potok
