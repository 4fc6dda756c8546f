// Who places: Potok's engine, and others to compare it with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/domain/placement/request.h"

namespace potok::bench {

class Placer {
 public:
  virtual ~Placer() = default;

  // Places one arrival; false if it fits nowhere. `number` is its request's, of those given.
  virtual bool Place(std::size_t number) = 0;
};

// Names for MakePlacer. "potok*" has read the whole list of tasks before the first arrives;
// "scheduler" is the engine as the server asks it.
std::vector<std::string> PlacerNames();

// Null for an unknown name. The lists must outlive it. `seed` is for those that draw.
std::unique_ptr<Placer> MakePlacer(const std::string& name,
                                   const std::vector<server::placing::Machine>& machines,
                                   const std::vector<server::placing::Request>& requests,
                                   std::uint64_t seed);

}  // namespace potok::bench
