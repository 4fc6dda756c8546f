// What is asked of machines, held and used, as the objects that commands print. Pure.
#pragma once

#include "client/cli/text/value.h"
#include "potok/v1/pipeline.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// What is held or offered: memory_bytes, cpu_millis, gpus, disk_bytes and named.
Value ResourcesObject(const v1::Resources& resources);

// The same and all else that a step asks of its machine.
Value RequestObject(const v1::Step& step);

// What an attempt used; what is not known is null.
Value UsageObject(const v1::Usage& usage);

}  // namespace potok::client
