// What must never happen, watched from outside: the ledger sees processes begin and end on all
// machines, and everything that is stored and said.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/attempt.h"

namespace potok::server {

// One rule broken on purpose, to show that the checks would notice.
enum class Break {
  kNone,
  kSpeakBeforeCommit,
  kAckBeforeCommit,
  kNoAttemptCheck,
  kRequeueBeforeLeaseEnd,
  kOrderAgainWhatEnded,
  kNoRestartGrace,
  kSkipKeepList,
  kNoSelfFence,
  kForgetWhatBegan,
};

struct Ledger {
  std::vector<std::string> violations;

  void Begin(const AttemptKey& key, const std::string& machine);
  void End(const AttemptKey& key);
  // The step's processes may overlap from now on: a person declared a living machine dead.
  void Excuse(const StepKey& step) { excused_.insert(step); }

 private:
  std::map<StepKey, AttemptKey> alive_;
  std::set<AttemptKey> begun_;
  std::set<StepKey> excused_;
};

}  // namespace potok::server
