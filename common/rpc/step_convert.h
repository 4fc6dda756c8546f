// Steps between their C++ and their wire form; inside common/rpc.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "potok/v1/pipeline.pb.h"

namespace potok {

// Local code has no wire form (POTOK_CHECK).
void Write(const Step& step, v1::Step* out);
// INVALID_ARGUMENT as FromProto of a pipeline.
absl::Status Read(const v1::Step& step, Step* out);

template <class Map>
std::map<std::string, std::string> MapOf(const Map& map) {
  return {map.begin(), map.end()};
}

}  // namespace potok
