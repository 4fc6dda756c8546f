// The top of a job file. One thread.
#pragma once

#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads a pipeline job or a standalone command job into reading->spec.
void ReadJob(const YamlNode& root, const Origin& origin, Reading* reading);

}  // namespace potok::client
