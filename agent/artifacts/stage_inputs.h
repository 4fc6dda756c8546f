// Fetches what a command needs. Blocks on network and disk; any thread.
#pragma once

#include "absl/status/statusor.h"
#include "agent/domain/attempt.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/order.h"
#include "common/cas/cas_client.h"

namespace potok::agent {

// Lays code and inputs into the attempt's folder and makes the step's folders. What an earlier
// agent left there is replaced. The message of an error names the input; UNAVAILABLE is worth
// another try.
absl::StatusOr<StagedBytes> StageInputs(const AttemptOrder& order,
                                        const AttemptPaths& paths,
                                        CasClient& store,
                                        BlobStore* cache);

}  // namespace potok::agent
