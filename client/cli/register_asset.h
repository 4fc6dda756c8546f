// From YAML of a component, data and the like to a version on the server.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "client/potok_client/connection.h"
#include "common/pipeline/asset_reference.h"
#include "potok/v1/registry.pb.h"

namespace potok::client {

struct AssetSource {
  AssetKind kind = AssetKind::kComponent;
  std::string file;              // empty: `set` says everything
  std::vector<std::string> set;  // "version=2", in order
  bool skip_validation = false;
};

// "KEY=VALUE" for AssetSource::set whose value is a text, whatever it looks like.
std::string TextAssignment(const std::string& key, const std::string& value);

// The text of a path option: local ones, which start at the working folder, made absolute.
std::string AbsoluteOption(const Context& context, const std::string& path);

// Reads, uploads what is local, and registers. Prints every diagnostic; INVALID_ARGUMENT with a
// count if one is an error.
absl::StatusOr<v1::CreateAssetResponse> RegisterAsset(const Context& context,
                                                      const Connection& connection,
                                                      const AssetSource& source);

// Lays a version below the folder `target`, which must not be there: data and models as they are,
// other kinds as KIND.yml with the files that it names beside it.
absl::Status DownloadAsset(const Context& context,
                           const Connection& connection,
                           const v1::Asset& asset,
                           const std::string& target);

// Brings an artifact of the server's store to the path `target`.
absl::Status FetchArtifact(const Context& context,
                           const Connection& connection,
                           const v1::Artifact& artifact,
                           const std::string& target);

}  // namespace potok::client
