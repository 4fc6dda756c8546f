// Pools as objects, and as text for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/pools.pb.h"

namespace potok::client {

// The members of its document, and those of Potok.
Value PoolObject(const v1::Pool& pool);

// One pool, and what teams have in it.
std::string PoolText(const v1::Pool& pool, const TableStyle& style = {});

std::string PoolTable(const std::vector<v1::Pool>& pools, const TableStyle& style = {});

// "4 steps, 8 CPUs, 64 GiB, 2 GPUs"; "" without limits.
std::string LimitsText(const v1::PoolLimits& limits);

}  // namespace potok::client
