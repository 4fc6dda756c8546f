// Digests on the wire. For .cc files only, because it reads protobuf.
#pragma once

#include "absl/status/statusor.h"
#include "build/bazel/remote/execution/v2/remote_execution.pb.h"
#include "common/base/digest.h"

namespace potok {

inline build::bazel::remote::execution::v2::Digest ToWire(const Digest& digest) {
  build::bazel::remote::execution::v2::Digest wire;
  wire.set_hash(digest.Hex());
  wire.set_size_bytes(digest.size_bytes);
  return wire;
}

// INVALID_ARGUMENT for what is no digest.
inline absl::StatusOr<Digest> FromWire(const build::bazel::remote::execution::v2::Digest& wire) {
  return ParseDigest(wire.hash(), wire.size_bytes());
}

}  // namespace potok
