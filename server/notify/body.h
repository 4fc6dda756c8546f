// What a receiver is told: the JSON of docs/notifications.md, and its signature. Pure.
#pragma once

#include <string>

#include "server/notify/ending.h"

namespace potok::server {

// `delivery` is the delivery's id. What is not UTF-8 is replaced.
std::string BodyOf(const Ending& ending, const std::string& delivery);

// The value of the header Potok-Signature: "sha256=" and the HMAC-SHA-256 (RFC 2104) of the body in
// hexadecimal digits.
std::string SignatureOf(const std::string& body, const std::string& secret);

}  // namespace potok::server
