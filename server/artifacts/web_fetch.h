// Files behind http:// and https:// addresses, taken into a blob store
// (docs/decisions/0012-inputs-from-the-web.md). Thread-safe; blocks on network and disk.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"
#include "common/pipeline/spec.h"
#include "server/artifacts/web_network.h"

namespace potok::server {

// A file as a source gave it.
struct WebFile {
  Artifact artifact;
  std::string condition;  // WebResponse::ConditionOfNext; empty: it must be fetched again
};

// Brings the file at `url` into `blobs`, or gives back `known` (which may be null), of the same
// address, if the source says that it has just that. Redirects are followed up to ten times, from
// https to https only. A cut one goes on where it was if the source says that it is still the same
// (ETag or Last-Modified; RFC 9110, 13.1.5 and 14.2), else from the start.
//
// Errors name the address without its secrets, what happened and what to do: INVALID_ARGUMENT,
// NOT_FOUND (404, 410), PERMISSION_DENIED (401, 403, an address of the server's own machine),
// RESOURCE_EXHAUSTED (larger than bytes_max, full disk), FAILED_PRECONDITION (certificate, too many
// redirects), DATA_LOSS (fewer bytes than announced), UNAVAILABLE, CANCELLED once `is_wanted` is
// false. Nothing stays of what failed.
absl::StatusOr<WebFile> FetchFromWeb(const std::string& url,
                                     const WebOptions& options,
                                     BlobStore& blobs,
                                     const WebFile* known,
                                     const std::function<bool()>& is_wanted);

}  // namespace potok::server
