#include "tests/simulation/ledger.h"

namespace potok::server {

void Ledger::Begin(const AttemptKey& key, const std::string& machine) {
  if (!begun_.insert(key).second) {
    violations.push_back("attempt " + ToString(key) + " began twice, now on " + machine);
  }
  const auto [it, alone] = alive_.try_emplace(key.step(), key);
  if (!alone && !excused_.contains(key.step())) {
    violations.push_back("attempt " + ToString(key) + " began on " + machine + " while " +
                         ToString(it->second) + " is alive");
  }
  it->second = key;
}

void Ledger::End(const AttemptKey& key) {
  const auto it = alive_.find(key.step());
  if (it != alive_.end() && it->second == key) alive_.erase(it);
}

}  // namespace potok::server
