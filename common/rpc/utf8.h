// Text for messages of protobuf and JSON, which must be UTF-8.
#pragma once

#include <string>

namespace potok {

// `text` as it is if it is UTF-8; otherwise with a '?' for every byte beyond ASCII. What is said of
// a file may hold its name, which can be any bytes, and a message of proto3 with such a string is
// sent and read by nobody. Pure.
std::string AsUtf8(std::string text);

}  // namespace potok
