// settings.on_init and settings.on_finalize: nodes before and after all others. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads both from the job's settings. Of reading->scope, the steps that need no other depend on the
// one that on_init names, and the one of on_finalize runs when all have ended. Reports nodes that
// are not there, that are both, or that are the only ones.
void ReadHooks(Fields* settings, Reading* reading);

}  // namespace potok::client
