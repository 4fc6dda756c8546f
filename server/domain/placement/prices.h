// What a condition is worth to those who may come: the score of placements. Pure; one thread.
//
// The room of a typical request in a condition is how many of it would fit: as its free GPUs give
// (in whole requests), but no more than CPU and memory give (in parts of requests, since others
// fill the rest up), and none if not one fits. A placement takes room from every typical request;
// its loss is the sum over them of weight times the part that it takes of all room which machines
// have left for that one. So what is little left counts much: GPUs of a scarce model, the CPU and
// memory that GPUs need beside them, holes of the sizes that are asked for. What nobody asks for
// costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "server/domain/placement/condition.h"
#include "server/domain/placement/mix.h"

namespace potok::server::placing {

class Prices {
 public:
  // Forgets all and takes these; every price is the weight until Divide.
  void Reset(std::vector<TypicalRequest> typical, const std::vector<Gpu>& kinds);

  // Divides the weights by the room that all machines have, so that a placement on the last of it
  // costs most.
  void Divide(const Conditions& conditions, Patterns& patterns, double gpus);

  // What a condition of that pattern is worth. Amounts below zero count as nothing.
  double WorthOf(PatternId pattern, const Patterns& patterns, double cpu_millis, double memory_mib);

 private:
  static constexpr std::size_t kLanes = 8;
  using Lanes = std::array<float, kLanes>;
  // Of kLanes classes side by side, so that the compiler can work on them at once.
  struct Block {
    Lanes price{};
    Lanes cpu{};
    Lanes memory{};
    Lanes per_cpu{};
    Lanes per_memory{};
  };

  // How many of each class the GPUs of a pattern could hold.
  const std::vector<Lanes>& SlotsOf(PatternId id, const Patterns& patterns);
  float SlotsOf(const Pattern& pattern, const Places& places, std::size_t number) const;
  static void RoomOf(const Block& block, const Lanes& slots, float cpu, float memory, Lanes* room);

  std::vector<TypicalRequest> typical_;
  std::vector<std::vector<bool>> may_use_;  // by class and kind of GPU
  std::vector<Block> blocks_;
  std::vector<std::vector<Lanes>> slots_;  // by pattern; empty: not yet known
};

}  // namespace potok::server::placing
