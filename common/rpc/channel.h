// Connections to a server.
#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace potok {

// What a connection of ours may have in one frame, and on its way, in bytes; servers set the same.
// gRPC begins with 16 KiB and 64 KiB and wakes both ends for every bit of a large transfer.
inline constexpr int kFrameBytes = 1 << 20;
inline constexpr int kWindowBytes = 4 << 20;

// A lazy channel to "unix:PATH" or "HOST:PORT", with the keepalive that notices a cut line in
// seconds (4 s + 2 s, measured: 2.3 to 3 s) and reconnects after 0.2 to 3 s. Messages of up to 64
// MiB. Thread-safe; never fails: calls do.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace potok
