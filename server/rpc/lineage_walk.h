// The way from a step back to the data and code that it goes back to. One thread; blocks on the
// database.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/rpc/lineage.h"

namespace potok::server {

// A run with what it did, as the tables tell it; read once.
struct ToldRun {
  RunRow row;
  std::shared_ptr<const Plan> plan;
  std::vector<StepRow> steps;  // that moved, by index

  // Null if it never moved.
  const StepRow* Find(std::uint32_t index) const;
};

// The runs that one question is about.
class ToldRuns {
 public:
  ToldRuns(Reader& reader, const PlanOfRun& plan_of) : reader_(reader), plan_of_(plan_of) {}
  absl::StatusOr<const ToldRun*> ById(RunId id);
  absl::StatusOr<const ToldRun*> ByName(const std::string& name);

 private:
  absl::StatusOr<const ToldRun*> Keep(RunRow row);

  Reader& reader_;
  const PlanOfRun& plan_of_;
  std::map<RunId, ToldRun> records_;
};

class LineageWalk {
 public:
  // Nodes are appended to `response`.
  LineageWalk(Reader& reader, ToldRuns& records, v1::LineageResponse& response)
      : reader_(reader), records_(records), response_(response) {}

  // From the step that made `output`.
  absl::Status From(const ToldRun& run, std::uint32_t index, const std::string& output) {
    return Step(run, index, output, "", 0);
  }

 private:
  absl::Status Step(const ToldRun& run,
                    std::uint32_t index,
                    const std::string& output,
                    const std::string& port,
                    int depth);
  absl::Status Input(const ToldRun& run, std::uint32_t index, std::size_t input, int depth);
  absl::Status Body(const ToldRun& run,
                    std::uint32_t index,
                    const std::string& output,
                    const Artifact* made,
                    int depth);
  absl::Status Data(const ToldRun& run,
                    const Artifact& artifact,
                    const std::string& port,
                    int depth);
  // Null when there are enough.
  v1::LineageNode* Add(int depth, v1::LineageNode::Kind kind, const std::string& port);

  Reader& reader_;
  ToldRuns& records_;
  v1::LineageResponse& response_;
  std::set<std::pair<RunId, std::uint32_t>> seen_;
};

}  // namespace potok::server
