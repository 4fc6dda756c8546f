// The keys of a do_while. One thread.
#pragma once

#include <string>

#include "client/frontend/azureml/reading.h"
#include "common/pipeline/control.h"

namespace potok::client {

// The condition, mapping and limits of the node at `at`, whose fields are `node` and whose body is
// the step `body`. What is wrong is reported.
DoWhile ReadDoWhile(const Place& at, const std::string& body, Fields* node, Reading* reading);

// The text of a condition: True or False for a literal, else as it is written.
std::string ConditionText(const YamlNode& scalar);

}  // namespace potok::client
