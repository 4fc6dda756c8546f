#include "tests/bench/placement/scan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <tuple>

namespace potok::bench {

namespace {

using server::placing::kWholeGpu;
using server::placing::Machine;
using server::placing::Request;

struct Node {
  std::string model;
  std::int64_t cpu_millis = 0;
  std::int64_t memory_bytes = 0;
  std::vector<std::int32_t> free_millis;
};

using Gpus = std::vector<std::size_t>;

std::int32_t MillisOfEach(const Request& request) {
  return std::min(request.gpu_millis, kWholeGpu);
}
std::size_t CountOf(const Request& request) {
  if (request.gpu_millis == 0) return 0;
  return static_cast<std::size_t>(std::max(request.WholeGpus(), 1));
}

bool MayRunOn(const Request& request, const Node& node) {
  if (request.gpu_millis == 0 || request.gpu_models.empty()) return true;
  const std::vector<std::string>& models = request.gpu_models;
  return std::find(models.begin(), models.end(), node.model) != models.end();
}

// The ways of placing a request on a node that differ; none if it does not fit.
std::vector<Gpus> WaysOf(const Request& request, const Node& node) {
  if (node.cpu_millis < request.cpu_millis || node.memory_bytes < request.memory_bytes ||
      !MayRunOn(request, node)) {
    return {};
  }
  if (request.gpu_millis == 0) return {{}};
  std::vector<Gpus> ways;
  std::vector<std::int32_t> seen;
  Gpus whole;
  for (std::size_t i = 0; i < node.free_millis.size(); ++i) {
    const std::int32_t free = node.free_millis[i];
    if (free < MillisOfEach(request)) continue;
    if (!request.IsShare()) {
      whole.push_back(i);
      if (whole.size() == CountOf(request)) return {whole};
    } else if (std::find(seen.begin(), seen.end(), free) == seen.end()) {
      seen.push_back(free);
      ways.push_back({i});
    }
  }
  return ways;
}

Node After(Node node, const Request& request, const Gpus& gpus) {
  node.cpu_millis -= request.cpu_millis;
  node.memory_bytes -= request.memory_bytes;
  for (const std::size_t gpu : gpus) node.free_millis[gpu] -= MillisOfEach(request);
  return node;
}

class Scanning : public Placer {
 public:
  Scanning(const std::vector<Machine>& machines, const std::vector<Request>& requests)
      : requests_(requests) {
    for (const Machine& machine : machines) {
      nodes_.push_back({machine.gpus.empty() ? "" : machine.gpus[0].model,
                        machine.cpu_millis,
                        machine.memory_bytes,
                        std::vector<std::int32_t>(machine.gpus.size(), kWholeGpu)});
    }
  }

  bool Place(std::size_t number) override {
    const Request& request = requests_[number];
    std::size_t best = nodes_.size();
    Gpus best_gpus;
    double best_score = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (Gpus& gpus : WaysOf(request, nodes_[i])) {
        const double score = Score(i, request, gpus);
        if (score <= best_score) continue;
        best = i;
        best_score = score;
        best_gpus = std::move(gpus);
      }
    }
    if (best == nodes_.size()) return false;
    nodes_[best] = After(nodes_[best], request, best_gpus);
    Placed(best);
    return true;
  }

 protected:
  virtual double Score(std::size_t node, const Request& request, const Gpus& gpus) = 0;
  virtual void Placed(std::size_t /*node*/) {}

  std::vector<Node>& nodes() { return nodes_; }

 private:
  const std::vector<Request>& requests_;
  std::vector<Node> nodes_;
};

class Random : public Scanning {
 public:
  Random(const std::vector<Machine>& machines,
         const std::vector<Request>& requests,
         std::uint64_t seed)
      : Scanning(machines, requests), random_(seed) {}

 private:
  double Score(std::size_t, const Request&, const Gpus&) override {
    return std::uniform_real_distribution<double>()(random_);
  }

  std::mt19937_64 random_;
};

class BestFit : public Scanning {
 public:
  BestFit(const std::vector<Machine>& machines, const std::vector<Request>& requests)
      : Scanning(machines, requests) {
    for (const Node& node : nodes()) {
      cpu_most_ = std::max(cpu_most_, static_cast<double>(node.cpu_millis));
      memory_most_ = std::max(memory_most_, static_cast<double>(node.memory_bytes));
      gpus_most_ = std::max(gpus_most_, static_cast<double>(node.free_millis.size()));
    }
  }

 private:
  double Score(std::size_t number, const Request& request, const Gpus& gpus) override {
    const Node& node = nodes()[number];
    double free = 0;
    for (const std::int32_t millis : node.free_millis) free += millis;
    double sum = static_cast<double>(node.cpu_millis) / cpu_most_ +
                 static_cast<double>(node.memory_bytes) / memory_most_ +
                 free / (gpus_most_ * kWholeGpu);
    // Within a node, the fullest GPU: too small to decide between nodes.
    if (request.IsShare()) sum += 1e-6 * node.free_millis[gpus[0]];
    return -sum;
  }

  double cpu_most_ = 1;
  double memory_most_ = 1;
  double gpus_most_ = 1;
};

class Fgd : public Scanning {
 public:
  Fgd(const std::vector<Machine>& machines, const std::vector<Request>& requests)
      : Scanning(machines, requests) {
    LearnTypical(requests);
    for (const Node& node : nodes()) fragmented_.push_back(FragmentedOf(node));
  }

 private:
  struct Typical {
    Request request;
    double part = 0;
  };

  void LearnTypical(const std::vector<Request>& requests) {
    std::map<Request, double> counts;
    for (Request request : requests) {
      request.memory_bytes = 0;
      ++counts[request];
    }
    for (const auto& [request, count] : counts) typical_.push_back({request, count});
    std::stable_sort(typical_.begin(), typical_.end(), [](const Typical& one, const Typical& two) {
      return one.part > two.part;
    });
    double sum = 0;
    std::size_t kept = 0;
    while (kept < typical_.size() && sum < 0.95 * static_cast<double>(requests.size())) {
      sum += typical_[kept++].part;
    }
    typical_.resize(kept);
    for (Typical& one : typical_) one.part /= sum;
  }

  double FragmentedOf(const Node& node) const {
    double all = 0;
    for (const std::int32_t millis : node.free_millis) all += millis;
    double expected = 0;
    for (const Typical& one : typical_) expected += one.part * (all - UsableOf(node, one.request));
    return expected;
  }

  static double UsableOf(const Node& node, const Request& request) {
    if (request.gpu_millis == 0 || node.cpu_millis < request.cpu_millis ||
        !MayRunOn(request, node)) {
      return 0;
    }
    double usable = 0;
    std::size_t count = 0;
    for (const std::int32_t millis : node.free_millis) {
      if (millis < MillisOfEach(request)) continue;
      usable += millis;
      ++count;
    }
    return count < CountOf(request) ? 0 : usable;
  }

  double Score(std::size_t number, const Request& request, const Gpus& gpus) override {
    const double after = FragmentedOf(After(nodes()[number], request, gpus));
    const double won = fragmented_[number] - after;
    return std::floor(100 / (1 + std::exp(-won / kWholeGpu)));
  }

  void Placed(std::size_t node) override { fragmented_[node] = FragmentedOf(nodes()[node]); }

  std::vector<Typical> typical_;
  std::vector<double> fragmented_;  // by node
};

}  // namespace

std::unique_ptr<Placer> MakeScanningPlacer(const std::string& name,
                                           const std::vector<Machine>& machines,
                                           const std::vector<Request>& requests,
                                           std::uint64_t seed) {
  if (name == "fgd") return std::make_unique<Fgd>(machines, requests);
  if (name == "best_fit") return std::make_unique<BestFit>(machines, requests);
  if (name == "random") return std::make_unique<Random>(machines, requests, seed);
  return nullptr;
}

}  // namespace potok::bench
