// Places: which demands the machines of one place meet. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "server/domain/placement/request.h"

namespace potok::server::placing {

class Places {
 public:
  // The number of those that meet these (ascending) and no others; the same for equal ones.
  PlaceId ThatMeet(std::vector<DemandId> demands);
  bool Meets(PlaceId place, const Request& request) const;

 private:
  std::map<std::vector<DemandId>, PlaceId> ids_ = {{{}, 0}};
  std::vector<std::vector<bool>> meets_ = {{}};  // by place and demand
};

}  // namespace potok::server::placing
