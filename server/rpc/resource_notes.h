// What is worth knowing of what a step asked for and what it used, as lines for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/base/resources.h"
#include "server/store/store.h"

namespace potok::server {

// "attempt 2 asks for 768 MiB memory, since attempt 1 ran out of its 512 MiB"; empty if the memory
// was never raised.
std::string RaiseNote(const StepRow& row);

// That, and what there is to say of the latest attempt, which asked for `requested`: that a process
// of its was ended for want of memory, or, of a step that completed, that far less would have done.
std::vector<std::string> ResourceNotes(const StepRow& row, const Resources& requested);

// What the latest attempt's machine, of that name, held of its inputs when it was placed there:
// "placed on gpu-3 for its inputs: it held 12.4 GiB of 13 GiB" where that decided; empty if it held
// none of them.
std::string HeldNote(const StepRow& row, const std::string& machine);

// What to ask for where the peak was `peak_bytes`: a quarter more, rounded up to what people write.
std::int64_t MemoryToAskFor(std::int64_t peak_bytes);

}  // namespace potok::server
