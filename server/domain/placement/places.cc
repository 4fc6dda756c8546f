#include "server/domain/placement/places.h"

#include <utility>

namespace potok::server::placing {

PlaceId Places::ThatMeet(std::vector<DemandId> demands) {
  const auto [it, is_new] =
      ids_.try_emplace(std::move(demands), static_cast<PlaceId>(meets_.size()));
  if (!is_new) return it->second;
  std::vector<bool>& meets = meets_.emplace_back();
  for (const DemandId demand : it->first) {
    if (meets.size() <= demand) meets.resize(demand + std::size_t{1});
    meets[demand] = true;
  }
  return it->second;
}

bool Places::Meets(PlaceId place, const Request& request) const {
  if (!request.demand.has_value()) return true;
  const std::vector<bool>& meets = meets_[place];
  return *request.demand < meets.size() && meets[*request.demand];
}

}  // namespace potok::server::placing
