#include "client/potok_client/run_state.h"

#include <array>
#include <cctype>

namespace potok::client {
namespace {

struct StatusName {
  v1::Status status;
  const char* name;
};

constexpr std::array<StatusName, 11> kStatusNames = {{
    {v1::STATUS_NOT_STARTED, "NotStarted"},
    {v1::STATUS_QUEUED, "Queued"},
    {v1::STATUS_PREPARING, "Preparing"},
    {v1::STATUS_RUNNING, "Running"},
    {v1::STATUS_FINALIZING, "Finalizing"},
    {v1::STATUS_CANCEL_REQUESTED, "CancelRequested"},
    {v1::STATUS_COMPLETED, "Completed"},
    {v1::STATUS_FAILED, "Failed"},
    {v1::STATUS_CANCELED, "Canceled"},
    {v1::STATUS_NOT_RESPONDING, "NotResponding"},
    {v1::STATUS_PAUSED, "Paused"},
}};

std::string LowerCase(const std::string& text) {
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return lower;
}

// Where `step` is in `known`; steps are kept in the order of their index.
v1::StepStatus* Find(const v1::StepStatus& step, v1::Run* known) {
  if (step.index() >= 0 && step.index() < known->steps_size() &&
      known->steps(step.index()).index() == step.index()) {
    return known->mutable_steps(step.index());
  }
  const int size = known->steps_size();
  if (size == 0 || known->steps(size - 1).index() < step.index()) return nullptr;
  for (v1::StepStatus& candidate : *known->mutable_steps()) {
    if (candidate.index() == step.index()) return &candidate;
  }
  return nullptr;
}

}  // namespace

std::string NameOf(v1::Status status) {
  for (const StatusName& known : kStatusNames) {
    if (known.status == status) return known.name;
  }
  return "Unknown";
}

v1::Status ParseStatus(const std::string& name) {
  for (const StatusName& known : kStatusNames) {
    if (LowerCase(known.name) == LowerCase(name)) return known.status;
  }
  return v1::STATUS_UNSPECIFIED;
}

std::string NameOf(v1::Liveness liveness) {
  switch (liveness) {
    case v1::LIVENESS_READY:
      return "Ready";
    case v1::LIVENESS_NOT_RESPONDING:
      return "NotResponding";
    case v1::LIVENESS_LOST:
      return "Lost";
    case v1::LIVENESS_GONE:
      return "Gone";
    default:
      return "Unknown";
  }
}

bool HasEnded(v1::Status status) {
  return status == v1::STATUS_COMPLETED || status == v1::STATUS_FAILED ||
         status == v1::STATUS_CANCELED;
}

void MergeChange(const v1::Run& change, v1::Run* known) {
  google::protobuf::RepeatedPtrField<v1::StepStatus> steps;
  steps.Swap(known->mutable_steps());
  *known = change;
  known->mutable_steps()->Swap(&steps);
  bool appended = false;
  for (const v1::StepStatus& step : change.steps()) {
    if (v1::StepStatus* old = Find(step, known)) {
      *old = step;
    } else {
      *known->add_steps() = step;
      appended = true;
    }
  }
  if (!appended) return;
  std::sort(known->mutable_steps()->begin(),
            known->mutable_steps()->end(),
            [](const v1::StepStatus& a, const v1::StepStatus& b) { return a.index() < b.index(); });
}

}  // namespace potok::client
