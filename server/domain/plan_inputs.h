// The first half of planning: what each input is made of. Pure.
#pragma once

#include "absl/status/status.h"
#include "server/domain/segment_draft.h"

namespace potok::server {

// Fills in `draft->steps[i].inputs` from what is written; numbers of other steps are positions in
// it. INVALID_ARGUMENT for a reference that leads
// nowhere or in a circle, for files joined with text, and for files that were not uploaded.
absl::Status ResolveBindings(SegmentDraft* draft);

}  // namespace potok::server
