// What is registered on a server, as the reader of YAML asks for it. The real one is over the API
// (client/potok_client); tests have their own. One thread.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/pipeline/asset_reference.h"
#include "common/pipeline/spec.h"

namespace potok::client {

struct Reading;

// One version of something registered, whatever named it.
struct AssetDocument {
  std::string name;
  std::string version;
  // What was registered as JSON, which is YAML too: without name, version, description and tags;
  // complete, so that it names no file (docs/decisions/0022-registered-documents.md).
  std::string text;
};

class Assets {
 public:
  virtual ~Assets() = default;
  // NOT_FOUND if there is no such name, version or label, and says which there are; UNAVAILABLE if
  // nobody answers; FAILED_PRECONDITION if nobody is to be asked, so that names stay where they
  // can. Messages are for users.
  virtual absl::StatusOr<AssetDocument> Find(AssetKind kind, const AssetReference& reference) = 0;
};

// The content of a folder of this machine, which is not stored thereby: its digest as a folder's
// artifact. `folder` is absolute.
using FolderContent = std::function<absl::StatusOr<Artifact>(const std::string& folder)>;

// What `text` (azureml:NAME:VERSION and the like) names, by reading->assets, asked once for each
// kind and text. INVALID_ARGUMENT for a text of another form; FAILED_PRECONDITION if there is
// nobody to ask. Owned by `reading`.
const absl::StatusOr<AssetDocument>& FindAsset(AssetKind kind,
                                               const std::string& text,
                                               Reading* reading);

}  // namespace potok::client
