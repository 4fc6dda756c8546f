#include "server/domain/locality.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "common/base/held_artifacts.h"

namespace potok::server {

namespace {

// What a transfer is taken to move in a second, from the store to a machine: some 2 Gbit/s.
constexpr std::int64_t kTransferBytesPerSecond = std::int64_t{256} << 20;
// A step without a time limit is taken to run so long. One that ends sooner loses less by a worse
// machine than it is taken to.
constexpr absl::Duration kRunsWithoutLimit = absl::Hours(24);
// Of what the step itself holds.
constexpr std::int64_t kLossPartMost = 10;

// Bounds on what one decision looks at.
constexpr std::size_t kLargeFilesMax = 8;
constexpr std::size_t kHoldersOfOneMax = 16;
constexpr std::size_t kHoldersMax = 32;

// The files that an upstream step delivered, or null.
const Artifact* DeliveredFiles(const RunRecord& run, const UpstreamOutput& reference) {
  const auto* succeeded = std::get_if<Succeeded>(&run.steps[reference.step].state());
  if (succeeded == nullptr) return nullptr;
  const std::string& name = run.plan->definition(reference.step).outputs[reference.output].name;
  const auto it = std::find_if(succeeded->outputs.begin(),
                               succeeded->outputs.end(),
                               [&](const OutputValue& output) { return output.name == name; });
  return it == succeeded->outputs.end() ? nullptr : std::get_if<Artifact>(&it->value);
}

const Artifact* FilesOf(const RunRecord& run, const PlanInput& input) {
  if (const auto* artifact = std::get_if<Artifact>(&input.value)) return artifact;
  const auto* parts = std::get_if<std::vector<PlanPart>>(&input.value);
  if (parts == nullptr || parts->size() != 1) return nullptr;
  const auto* reference = std::get_if<UpstreamOutput>(&parts->front());
  return reference == nullptr ? nullptr : DeliveredFiles(run, *reference);
}

// Each artifact that the step is given, in no order; some twice.
template <class See>
void ForEachFile(const RunRecord& run, std::uint32_t index, const See& see) {
  if (const auto* code = std::get_if<Artifact>(&run.plan->definition(index).code)) see(*code);
  for (const PlanInput& input : run.plan->planned(index).inputs) {
    const Artifact* files = FilesOf(run, input);
    if (files != nullptr) see(*files);
  }
}

}  // namespace

WantedFiles FilesWantedBy(const RunRecord& run, std::uint32_t index) {
  WantedFiles wanted;
  ForEachFile(run, index, [&](const Artifact& artifact) {
    wanted.total_bytes += artifact.total_bytes;
    if (artifact.total_bytes >= kHeldArtifactBytesMin) wanted.large.push_back(artifact);
  });
  const auto order = [](const Artifact& a, const Artifact& b) {
    return std::tuple(-a.total_bytes, a.digest) < std::tuple(-b.total_bytes, b.digest);
  };
  std::sort(wanted.large.begin(), wanted.large.end(), order);
  const auto is_same = [](const Artifact& a, const Artifact& b) { return a.digest == b.digest; };
  for (auto twice = std::adjacent_find(wanted.large.begin(), wanted.large.end(), is_same);
       twice != wanted.large.end();
       twice = std::adjacent_find(wanted.large.begin(), wanted.large.end(), is_same)) {
    wanted.total_bytes -= twice->total_bytes;
    wanted.large.erase(twice);
  }
  return wanted;
}

std::int64_t HeldBytes(const Holdings& holdings, const WantedFiles& files, MachineId machine) {
  std::int64_t held_bytes = 0;
  for (const Artifact& artifact : files.large) {
    if (holdings.Holds(machine, artifact.digest)) held_bytes += artifact.total_bytes;
  }
  return held_bytes;
}

std::vector<MachineId> SomeHolders(const Holdings& holdings,
                                   const WantedFiles& files,
                                   MachineId from) {
  std::vector<MachineId> found;
  std::size_t files_seen = 0;
  for (const Artifact& artifact : files.large) {
    if (++files_seen > kLargeFilesMax || found.size() >= kHoldersMax) break;
    const absl::btree_set<MachineId>* holders = holdings.HoldersOf(artifact.digest);
    if (holders == nullptr) continue;
    auto holder = holders->lower_bound(from);
    const std::size_t count = std::min(holders->size(), kHoldersOfOneMax);
    for (std::size_t seen = 0; seen < count; ++seen, ++holder) {
      if (holder == holders->end()) holder = holders->begin();
      if (std::find(found.begin(), found.end(), *holder) == found.end()) found.push_back(*holder);
    }
  }
  std::vector<std::pair<std::int64_t, MachineId>> ranked;
  ranked.reserve(found.size());
  for (const MachineId machine : found) {
    ranked.emplace_back(HeldBytes(holdings, files, machine), machine);
  }
  std::stable_sort(
      ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < ranked.size(); ++i) found[i] = ranked[i].second;
  return found;
}

std::int64_t LossWorth(std::int64_t saved_bytes, std::int32_t gpu_millis, absl::Duration lasts) {
  const double seconds =
      static_cast<double>(saved_bytes) / static_cast<double>(kTransferBytesPerSecond);
  const double runs_for =
      std::max(absl::ToDoubleSeconds(std::min(lasts, kRunsWithoutLimit)), seconds);
  const double worth = runs_for <= 0 ? 0 : gpu_millis * seconds / runs_for;
  return std::min(static_cast<std::int64_t>(worth), std::int64_t{gpu_millis} / kLossPartMost);
}

void NoteHoldings(State& state, const RunRecord& run, std::uint32_t index) {
  if (run.plan == nullptr) return;
  const StepState& step = run.steps[index].state();
  const auto* running = std::get_if<Running>(&step);
  const auto* succeeded = std::get_if<Succeeded>(&step);
  const bool ran_here = succeeded != nullptr && succeeded->machine != 0 && !succeeded->reused;
  if (running == nullptr && !ran_here) return;
  const MachineId machine = running != nullptr ? running->placement.machine : succeeded->machine;
  ForEachFile(run, index, [&](const Artifact& files) { state.holdings.Note(machine, files); });
  if (!ran_here) return;
  for (const OutputValue& output : succeeded->outputs) {
    const auto* made = std::get_if<Artifact>(&output.value);
    if (made != nullptr) state.holdings.Note(machine, *made);
  }
}

}  // namespace potok::server
