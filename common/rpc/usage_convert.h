// The wire form of what attempts used.
#pragma once

#include "common/base/usage.h"
#include "potok/v1/usage.pb.h"

namespace potok {

v1::Usage ToProto(const Usage& usage);
// What is negative or no number is not known.
Usage FromProto(const v1::Usage& usage);

}  // namespace potok
