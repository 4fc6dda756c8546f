// Orderly ends: SIGTERM and SIGINT as something to wait for.
#pragma once

namespace potok {

// Blocks SIGTERM and SIGINT in the calling thread and all that it starts afterwards, and ignores
// SIGPIPE. Call first.
void BlockStopSignals();

// Waits for one of them (signalfd is not needed: sigwait(3)); returns its number.
int WaitForStopSignal();

}  // namespace potok
