// Reading small text files of /proc and the cgroup file systems, for the shim.
#pragma once

#include <cstddef>
#include <cstdint>

namespace potok::shim {

// Reads at most `size` - 1 bytes and ends them with a zero. Bytes read, or a negative errno.
long ReadText(const char* path, char* text, std::size_t size);

// The number behind `name` at the start of a line ("oom_kill 3"); 0 without such a line.
std::uint64_t NumberNamed(const char* text, const char* name);

// Calls `visit(pid, context)` for all descendants of process `pid`, parents first.
void VisitDescendants(int pid, void (*visit)(int pid, void* context), void* context);

// What all descendants of `pid` hold in memory. Counts pages that several of them share once for
// each; `exact` divides them among the sharers, at the price of a walk over the page tables.
std::int64_t MemoryOfDescendants(int pid, bool exact);

}  // namespace potok::shim
