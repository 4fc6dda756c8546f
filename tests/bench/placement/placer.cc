#include "tests/bench/placement/placer.h"

#include "server/domain/placement/engine.h"
#include "tests/bench/placement/scan.h"
#include "tests/bench/placement/scheduler_placer.h"

namespace potok::bench {

namespace {

using server::placing::Choice;
using server::placing::Engine;
using server::placing::Machine;
using server::placing::Request;
using server::placing::ShapeId;

class Potok : public Placer {
 public:
  Potok(const std::vector<Machine>& machines, const std::vector<Request>& requests)
      : engine_(server::placing::Policy()) {
    for (const Machine& machine : machines) engine_.AddMachine(machine);
    for (const Request& request : requests) shapes_.push_back(engine_.Intern(request));
  }

  void ReadAhead() {
    for (const ShapeId shape : shapes_) engine_.Saw(shape);
  }

  bool Place(std::size_t number) override {
    const ShapeId shape = shapes_[number];
    engine_.Saw(shape);
    const std::optional<Choice> choice = engine_.Choose(shape);
    if (choice.has_value()) engine_.Take(shape, *choice);
    return choice.has_value();
  }

 private:
  Engine engine_;
  std::vector<ShapeId> shapes_;
};

}  // namespace

std::vector<std::string> PlacerNames() {
  return {"potok", "potok*", "scheduler", "fgd", "best_fit", "random"};
}

std::unique_ptr<Placer> MakePlacer(const std::string& name,
                                   const std::vector<Machine>& machines,
                                   const std::vector<Request>& requests,
                                   std::uint64_t seed) {
  if (name == "potok" || name == "potok*") {
    auto potok = std::make_unique<Potok>(machines, requests);
    if (name == "potok*") potok->ReadAhead();
    return potok;
  }
  if (name == "scheduler") return MakeSchedulerPlacer(machines, requests);
  return MakeScanningPlacer(name, machines, requests, seed);
}

}  // namespace potok::bench
