// How a segment is made: its inputs, edges and shapes are found from what is written. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "server/domain/plan.h"

namespace potok::server {

// A segment that is being made. Numbers of steps are positions in it.
struct SegmentDraft {
  Segment head;                       // all but its steps and shapes; its spec has the steps
  std::vector<DraftStep> steps = {};  // as in the spec
  absl::btree_map<std::string, std::uint32_t> index_of = {};  // by their names in the spec

  const std::vector<Step>& written() const { return head.spec.steps; }
};

// The segment that comes after those of `plan` (null: the first), with inputs, edges and shapes.
// Its spec has no steps any more. INVALID_ARGUMENT for a reference that leads nowhere or in a
// circle, for files joined with text, and for files that were not uploaded.
absl::StatusOr<std::shared_ptr<const Segment>> MakeSegment(SegmentDraft draft, const Plan* plan);

}  // namespace potok::server
