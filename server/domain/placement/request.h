// What the placement engine knows of machines and requests: plain values. Pure; no thread rule.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace potok::server::placing {

constexpr std::int32_t kWholeGpu = 1000;  // millis of a GPU

// What a request may demand of machines besides capacity: a pool, labels. The caller numbers
// demands and says which of them a machine meets.
using DemandId = std::uint32_t;
// Machines of one place meet the same demands. 0: none (Engine::PlaceThatMeets).
using PlaceId = std::uint32_t;
// By the order in which machines were added, from 0.
using MachineNumber = std::uint32_t;

struct Gpu {
  std::string model;
  std::int64_t memory_bytes = 0;
  std::int32_t index = 0;  // by which a choice names it
  std::int32_t free_millis = kWholeGpu;
};

// What a machine has free. Amounts below zero are owed.
struct Machine {
  std::int32_t cpu_millis = 0;
  std::int64_t memory_bytes = 0;
  std::vector<Gpu> gpus;
  PlaceId place = 0;
};

struct Request {
  std::int32_t cpu_millis = 0;
  std::int64_t memory_bytes = 0;
  // 0: none. Below 1000: a share of one GPU. Otherwise a multiple of 1000: so many whole GPUs.
  std::int32_t gpu_millis = 0;
  std::vector<std::string> gpu_models;  // as people write them (IsGpuModel); empty: any
  std::int64_t gpu_memory_bytes = 0;    // that each GPU must have
  std::optional<DemandId> demand;       // nothing: any machine will do

  bool IsShare() const { return gpu_millis > 0 && gpu_millis < kWholeGpu; }
  std::int32_t WholeGpus() const { return gpu_millis / kWholeGpu; }
  auto operator<=>(const Request&) const = default;
};

// Whether a GPU is of a kind that the request may have, however much of it is free.
bool MayUse(const Request& request, const Gpu& gpu);

struct Choice {
  MachineNumber machine = 0;
  std::vector<std::int32_t> gpus;  // indices, ascending
  std::int64_t loss = 0;           // in steps of Policy::loss_step

  // Whether it is the same place, whatever is lost there.
  bool operator==(const Choice& other) const {
    return machine == other.machine && gpus == other.gpus;
  }
};

// How placements are judged. Values; the defaults are what docs/decisions chose.
struct Policy {
  // How much a request without GPUs counts in the mix, against 1 of one with GPUs.
  double cpu_only_weight = 0;
  // After so many requests seen, one counts half.
  double half_life = 20'000;
  // Losses are compared in steps of this part of what one whole GPU's room is worth.
  double loss_step = 0.001;
  bool spread = false;  // among equals, the emptiest instead of the fullest
};

}  // namespace potok::server::placing
