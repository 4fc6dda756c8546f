#include "server/domain/preemption.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::server {

namespace {

constexpr std::int64_t Amounts::*kKinds[] = {
    &Amounts::memory_bytes, &Amounts::cpu_millis, &Amounts::gpu_millis};

// Gives to the machine what the victim holds on it, `sign` > 0, or takes it back.
void GiveParts(std::size_t victim, int sign, const RoomToMake& room, RoomToMake* trial) {
  for (const VictimPart& part : room.parts) {
    if (part.victim != victim) continue;
    if (sign > 0) {
      trial->free += part.request;
    } else {
      trial->free -= part.request;
    }
    for (GpuRoom& gpu : trial->gpus) {
      if (std::ranges::find(part.gpus, gpu.index) == part.gpus.end()) continue;
      gpu.free_millis += sign * MillisOfEach(part.request);
    }
  }
}

bool HoldsAfter(const RoomToMake& room, const Shape& shape) {
  return shape.request.FitsInto(room.free) && PickGpus(room.gpus, shape).has_value();
}

bool IsLacking(const PoolLack& lack) {
  return lack.steps > 0 ||
         std::ranges::any_of(kKinds, [&](const auto kind) { return lack.amounts.*kind > 0; });
}

// Whether the lack is less without the victim.
bool Helps(const Victim& victim, const PoolLack& lack) {
  return lack.steps > 0 || std::ranges::any_of(kKinds, [&](const auto kind) {
           return lack.amounts.*kind > 0 && victim.amounts.*kind > 0;
         });
}

void Lessen(const Victim& victim, int sign, PoolLack* lack) {
  lack->steps -= sign * static_cast<std::int64_t>(victim.steps.size());
  for (const auto kind : kKinds) lack->amounts.*kind -= sign * victim.amounts.*kind;
}

// Room for one member on a machine.
struct Option {
  double lost = 0;
  std::vector<std::size_t> victims;
  bool operator<(const Option& other) const {
    return std::tuple(lost, victims.size()) < std::tuple(other.lost, other.victims.size());
  }
};

class TakingSearch {
 public:
  TakingSearch(Scene scene, const Taker& taker) : scene_(std::move(scene)), taker_(taker) {}

  std::optional<Taking> Take() {
    if (!MakeRoomInPool()) return std::nullopt;
    for (std::size_t i = 0; i < taker_.members; ++i) {
      if (!TakeOne()) return std::nullopt;
    }
    taking_.victims.assign(taken_.begin(), taken_.end());
    return std::move(taking_);
  }

 private:
  // Those that count for the limits of the taker's pool, the least loss first.
  std::vector<std::size_t> CheapestOfPool() const {
    std::set<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < scene_.victims.size(); ++i) {
      const Victim& victim = scene_.victims[i];
      const bool counts = victim.limits_of == taker_.lack.pool && victim.team != taker_.team;
      if (counts) order.emplace(victim.lost, i);
    }
    std::vector<std::size_t> victims;
    victims.reserve(order.size());
    for (const auto& [lost, victim] : order) victims.push_back(victim);
    return victims;
  }

  // Ends as many as the limits of the pool have too little for; false if those may not be.
  bool MakeRoomInPool() {
    PoolLack lack = taker_.lack;
    if (!IsLacking(lack)) return true;
    Given given;
    std::vector<std::size_t> chosen;
    for (const std::size_t victim : CheapestOfPool()) {
      if (!IsLacking(lack)) break;
      if (!Helps(scene_.victims[victim], lack) || !MayTake(victim, given)) continue;
      Give(victim, &given);
      Lessen(scene_.victims[victim], +1, &lack);
      chosen.push_back(victim);
    }
    if (IsLacking(lack)) return false;
    // The most expensive ones are spared first.
    for (auto victim = chosen.rbegin(); victim != chosen.rend(); ++victim) {
      Lessen(scene_.victims[*victim], -1, &lack);
      if (!IsLacking(lack)) continue;
      Lessen(scene_.victims[*victim], +1, &lack);
      End(*victim);
    }
    return true;
  }

  bool TakeOne() {
    std::optional<Option> best;
    std::size_t where = 0;
    for (std::size_t i = 0; i < scene_.rooms.size(); ++i) {
      std::optional<Option> option = OptionOn(scene_.rooms[i]);
      if (!option.has_value() || (best.has_value() && !(*option < *best))) continue;
      best = std::move(option);
      where = i;
    }
    if (!best.has_value()) return false;
    for (const std::size_t victim : best->victims) End(victim);
    RoomToMake& room = scene_.rooms[where];
    std::vector<std::int32_t> gpus = *PickGpus(room.gpus, taker_.shape);
    TakeRoom(gpus, MillisOfEach(taker_.shape.request), &room.gpus);
    room.free -= taker_.shape.request;
    taking_.placements.push_back({room.machine, std::move(gpus)});
    if (!taker_.may_share) {
      scene_.rooms.erase(scene_.rooms.begin() + static_cast<std::ptrdiff_t>(where));
    }
    return true;
  }

  // It ends on all machines.
  void End(std::size_t victim) {
    taken_.insert(victim);
    const Victim& one = scene_.victims[victim];
    scene_.teams[one.team].held -= one.amounts;
    const auto in_pool = scene_.in_pools.find({one.team, one.pool});
    if (in_pool != scene_.in_pools.end()) in_pool->second.held -= one.amounts;
    for (RoomToMake& room : scene_.rooms) {
      GiveParts(victim, +1, room, &room);
      std::erase_if(room.parts, [&](const VictimPart& part) { return part.victim == victim; });
    }
  }

  // Those that hold something there and may be taken each for itself, the least loss first.
  std::vector<std::size_t> CheapestFirst(const RoomToMake& room) const {
    std::set<std::pair<double, std::size_t>> order;
    for (const VictimPart& part : room.parts) {
      const Victim& victim = scene_.victims[part.victim];
      if (victim.team != taker_.team) order.emplace(victim.lost, part.victim);
    }
    std::vector<std::size_t> victims;
    victims.reserve(order.size());
    for (const auto& [lost, victim] : order) victims.push_back(victim);
    return victims;
  }

  // What teams have given already: by team, and by pool, where "" is all.
  using Given = std::map<std::pair<std::string, std::string>, Amounts>;

  static bool CanSpare(const Standing& standing,
                       const Given& given,
                       const std::pair<std::string, std::string>& of,
                       const Amounts& amounts) {
    Amounts held = standing.held;
    if (const auto found = given.find(of); found != given.end()) held -= found->second;
    return CanGive(standing.guaranteed, held, amounts);
  }

  void Give(std::size_t victim, Given* given) const {
    const Victim& one = scene_.victims[victim];
    (*given)[{one.team, ""}] += one.amounts;
    (*given)[{one.team, one.pool}] += one.amounts;
  }

  bool MayTake(std::size_t victim, const Given& given) const {
    const Victim& one = scene_.victims[victim];
    if (!CanSpare(scene_.teams.at(one.team), given, {one.team, ""}, one.amounts)) return false;
    const auto in_pool = scene_.in_pools.find({one.team, one.pool});
    return in_pool == scene_.in_pools.end() ||
           CanSpare(in_pool->second, given, {one.team, one.pool}, one.amounts);
  }

  std::optional<Option> OptionOn(const RoomToMake& room) const {
    if (HoldsAfter(room, taker_.shape)) return Option{};
    const std::vector<std::size_t> order = CheapestFirst(room);
    std::optional<Option> several = SeveralOf(room, order);
    if (!several.has_value() || several->victims.size() < 2) return several;
    for (const std::size_t victim : order) {
      if (!MayTake(victim, {})) continue;
      RoomToMake trial = room;
      GiveParts(victim, +1, room, &trial);
      if (!HoldsAfter(trial, taker_.shape)) continue;
      Option alone{scene_.victims[victim].lost, {victim}};
      return alone < *several ? std::move(alone) : std::move(several);
    }
    return several;
  }

  std::optional<Option> SeveralOf(const RoomToMake& room,
                                  const std::vector<std::size_t>& order) const {
    RoomToMake trial = room;
    Given given;
    std::vector<std::size_t> chosen;
    bool fits = false;
    for (auto victim = order.begin(); victim != order.end() && !fits; ++victim) {
      if (!MayTake(*victim, given)) continue;
      Give(*victim, &given);
      GiveParts(*victim, +1, room, &trial);
      chosen.push_back(*victim);
      fits = HoldsAfter(trial, taker_.shape);
    }
    if (!fits) return std::nullopt;
    // The most expensive ones are spared first.
    Option option;
    for (auto victim = chosen.rbegin(); victim != chosen.rend(); ++victim) {
      GiveParts(*victim, -1, room, &trial);
      if (HoldsAfter(trial, taker_.shape)) continue;
      GiveParts(*victim, +1, room, &trial);
      option.victims.push_back(*victim);
      option.lost += scene_.victims[*victim].lost;
    }
    return option;
  }

  Scene scene_;
  const Taker& taker_;
  std::set<std::size_t> taken_;
  Taking taking_;
};

// "4 GPUs and 64 GiB memory"
std::string GuaranteeText(const Amounts& guaranteed) {
  std::vector<std::string> parts;
  if (guaranteed.gpu_millis > 0) {
    parts.push_back(fmt::format("{:g} GPU{}",
                                static_cast<double>(guaranteed.gpu_millis) / kMillisOfGpu,
                                guaranteed.gpu_millis == kMillisOfGpu ? "" : "s"));
  }
  if (guaranteed.cpu_millis > 0) {
    parts.push_back(fmt::format("{:g} CPU{}",
                                static_cast<double>(guaranteed.cpu_millis) / 1000.0,
                                guaranteed.cpu_millis == 1000 ? "" : "s"));
  }
  if (guaranteed.memory_bytes > 0) {
    parts.push_back(FormatBytes(guaranteed.memory_bytes) + " memory");
  }
  return fmt::format("{}", fmt::join(parts, " and "));
}

}  // namespace

std::string CoveredBy(const TeamRecord& team,
                      const std::string& pool,
                      const Amounts& promised,
                      const Amounts& promised_in_pool,
                      const Amounts& request) {
  const std::string counted = PoolCounted(pool);
  Amounts in_pool = HeldIn(team, counted).amounts;
  in_pool += promised_in_pool;
  const Amounts guaranteed = GuaranteedIn(team.facts, counted);
  if (Covers(guaranteed, in_pool, request)) {
    return fmt::format("{} in pool {}", GuaranteeText(guaranteed), counted);
  }
  Amounts held = team.use.held;
  held += promised;
  return Covers(team.facts.guaranteed, held, request) ? GuaranteeText(team.facts.guaranteed) : "";
}

bool Covers(const Amounts& guaranteed, const Amounts& held, const Amounts& request) {
  bool asks = false;
  for (const auto kind : kKinds) {
    if (guaranteed.*kind <= 0 || request.*kind <= 0) continue;
    if (held.*kind + request.*kind > guaranteed.*kind) return false;
    asks = true;
  }
  return asks;
}

bool CanGive(const Amounts& guaranteed, const Amounts& held, const Amounts& given) {
  return std::ranges::all_of(kKinds, [&](const auto kind) {
    return guaranteed.*kind <= 0 || given.*kind <= 0 ||
           held.*kind - given.*kind >= guaranteed.*kind;
  });
}

std::optional<Taking> LeastTaking(Scene scene, const Taker& taker) {
  return TakingSearch(std::move(scene), taker).Take();
}

}  // namespace potok::server
