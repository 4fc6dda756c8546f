// Picks a machine for a request without looking at every machine. Pure: the same calls in the same
// order give the same answers. Not thread-safe: one thread, also for const calls.
//
// Among the machines that hold the request the least loss wins (prices.h says what a placement
// loses). Losses that are equal in steps of Policy::loss_step are decided by, in this order: the
// fewest free millis of GPUs, the least free memory and the fewest free CPUs, each rounded as the
// condition says, the GPU with the least free, the condition by its contents; within a condition by
// the least free memory, CPU and the lowest number (the other way round from memory on if the
// policy spreads). All GPUs of a request are of one kind and, of those that are equally free, those
// with the lowest indices.
//
// Prices are worked out anew when the requests seen or the machines' conditions may have changed by
// an eighth; between two such moments they stand still. That is what makes the index exact: each
// request that is asked for (a shape) keeps the best conditions in order, and looks only at
// conditions that have come about since it was last asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "server/domain/placement/condition.h"
#include "server/domain/placement/mix.h"
#include "server/domain/placement/prices.h"
#include "server/domain/placement/request.h"

namespace potok::server::placing {

using ShapeId = std::uint32_t;

class Engine {
 public:
  explicit Engine(const Policy& policy);

  // The place of machines that meet these demands (ascending) and no others.
  PlaceId PlaceThatMeets(std::vector<DemandId> demands);

  // Machines are numbered from 0.
  MachineNumber AddMachine(const Machine& machine);
  // From now on it has what this says, whatever was taken of it before. Its place stays.
  void Update(MachineNumber number, const Machine& machine);
  void SetPlace(MachineNumber number, PlaceId place);
  // It is given nothing any more until it is returned; what it holds may be given back meanwhile.
  void Withdraw(MachineNumber machine);
  void Return(MachineNumber machine);

  // The number of a request, by which the others know it. The same for equal ones.
  ShapeId Intern(const Request& request);

  // Says that the request is wanted: counts it into the mix by which placements are judged.
  void Saw(ShapeId shape);
  // True if the next Choose works out prices anew. Who knows all that is wanted says it then, in
  // place of what was seen.
  bool IsPricingDue() const { return events_ >= next_pricing_; }
  void Want(const std::vector<std::pair<ShapeId, double>>& counts);
  // Forgets all requests and their numbers, but not the mix.
  void ForgetShapes();
  // How much has happened that could change prices.
  std::uint64_t events() const { return events_; }
  bool has_gpus() const { return gpus_ > 0; }

  // Where the request goes, or nothing if no machine holds it now. Changes nothing that shows.
  std::optional<Choice> Choose(ShapeId id);
  // How the request would go to this machine, or nothing if that does not hold it now.
  std::optional<Choice> ChooseOn(ShapeId id, MachineNumber number);
  // The same answer as Choose by a look at every machine. For tests.
  std::optional<Choice> ChooseByScan(ShapeId id);

  // Takes what the request asks for off the machine. There need not be enough of CPU and memory:
  // what is missing is owed, and the machine holds nothing more until it has been given back. Of
  // the GPUs enough has to be free.
  void Take(ShapeId shape, const Choice& choice);
  // Undoes one Take.
  void Give(ShapeId shape, const Choice& choice);

 private:
  struct Held {
    std::vector<KindId> kinds;          // of its GPUs
    std::vector<std::int32_t> indices;  // by which choices name them
    std::vector<std::int16_t> free_millis;
    PlaceId place = 0;
    Member free;
    ConditionId condition = 0;
    bool is_in = false;
  };
  // A condition that may hold a shape, and how. Ordered best first.
  struct Offer {
    std::int64_t loss = 0;
    std::int64_t free_gpu_millis = 0;
    std::int64_t memory_bytes = 0;
    std::int64_t cpu_millis = 0;
    GpuTake take;
    ConditionId condition = 0;
  };
  struct Shape {
    Request request;
    std::vector<bool> may_use;  // by kind of GPU
    std::vector<Offer> offers;  // the best, in order
    bool has_all = false;       // no condition is left out of `offers`
    std::uint64_t epoch = 0;    // of prices, by which they are ordered
    std::size_t seen = 0;       // of `news_`
  };

  bool HasJust(const Held& held, const Machine& machine) const;
  void Enter(Held& machine);
  void EnterAs(Held& machine, PatternId pattern);
  void Leave(const Held& machine);
  void Move(ShapeId shape, const Choice& choice, int sign);
  KindId KindOf(const Gpu& gpu);
  Request Prior() const;
  void RepriceIfDue();
  void RenewTables();
  double WorthOf(ConditionId id);

  void CatchUp(Shape& shape);
  void LookAtAll(Shape& shape, std::size_t offers_max);
  void AddOffer(Shape& shape, ConditionId id, std::size_t offers_max);
  std::optional<Offer> BestOffer(const Shape& shape, ConditionId id);
  void Consider(const Shape& shape, const GpuTake& take, Offer base, std::optional<Offer>* best);
  bool IsBetter(const Offer& one, const Offer& other) const;
  Choice ChoiceOf(const Shape& shape, const Offer& offer, MachineNumber number) const;

  Policy policy_;
  Mix mix_;
  Prices prices_;
  Patterns patterns_;
  Conditions conditions_;
  std::vector<Gpu> kinds_;
  std::vector<Held> machines_;
  std::map<Request, ShapeId> shape_ids_;
  std::vector<Shape> shapes_;
  std::vector<double> worths_;     // by condition; negative: not yet known
  std::vector<ConditionId> news_;  // conditions that became somebody's since prices stand
  std::uint64_t epoch_ = 0;
  std::uint64_t events_ = 0;        // all that could change prices
  std::uint64_t next_pricing_ = 0;  // by events
  double gpus_ = 0;
};

}  // namespace potok::server::placing
