// By which address other machines reach this one.
#pragma once

#include <string>

namespace potok::agent {

// The address of the interface by which `server` ("HOST:PORT" or "unix:PATH") is reached; where
// that is this machine itself, of the one that leads elsewhere. "127.0.0.1" if there is none. May
// ask a name server; any thread. Nothing is sent to the server.
std::string OwnAddress(const std::string& server);

}  // namespace potok::agent
