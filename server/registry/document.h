// What is registered, as JSON: what it must be, what it names, and how two differ. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/asset_reference.h"

namespace potok::server {

// A component of a pipeline of pipelines is tens of kilobytes.
inline constexpr std::size_t kDocumentBytesMax = std::size_t{4} << 20;
inline constexpr int kDocumentDepthMax = 100;

// INVALID_ARGUMENT, saying why, for what is no JSON object, has more than the bytes or levels
// above, holds zeros, or lacks what its kind needs: "type" of data, models, components and
// datastores, "path" of data and models, "image" or "build" of environments.
absl::Status CheckDocument(AssetKind kind, const std::string& text);

// Every text in it that names an artifact of the store, once each and in order.
std::vector<std::string> ArtifactsIn(const std::string& document);

// The text of a member; "" if there is none.
std::string TextOf(const std::string& document, const std::string& member);
// The document with that member.
std::string WithText(const std::string& document,
                     const std::string& member,
                     const std::string& text);

// A member by which two documents differ: "inputs.lr.default". What it is in each as JSON, long
// ones cut; empty where it is not there.
struct Difference {
  std::string where;
  std::string before;
  std::string after;
};
// The first `max`, in order of `where`; none if both mean the same.
std::vector<Difference> DifferencesOf(const std::string& before,
                                      const std::string& after,
                                      std::size_t max);
// "command: 'a' is now 'b'", "inputs.lr: is new: ...", "inputs.lr: is gone".
std::string ToString(const Difference& difference);

}  // namespace potok::server
