// Steps that wait for each other.
#include <algorithm>
#include <map>

#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

using Node = std::uint32_t;

// More than anyone reads; the rest appears when these are mended.
constexpr std::size_t kReportedMax = 10;
constexpr std::size_t kNamedMax = 20;

// Who waits for whom. The first nodes are the steps; then come the inputs that other steps refer
// to, whose values may come from further steps while their own step need not have run.
class Graph {
 public:
  Graph(const SpecIndex& index, const std::vector<StepReference>& references)
      : index_(index), edges_(index.spec().steps.size()) {
    for (const StepReference& reference : references) {
      if (reference.source_input) InputNode(reference.source, *reference.source_input);
    }
    for (const StepReference& reference : references) AddReference(reference);
    for (Node step = 0; step < index.spec().steps.size(); ++step) {
      for (const std::string& name : index.spec().steps[step].depends_on) {
        const auto other = index.FindStep(name);
        if (other && *other != step) edges_[step].push_back(*other);
      }
    }
    for (std::vector<Node>& edges : edges_) {
      std::sort(edges.begin(), edges.end());
      edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    }
  }

  std::size_t size() const { return edges_.size(); }
  const std::vector<Node>& edges(Node node) const { return edges_[node]; }

  std::string NameOf(Node node) const {
    const auto& steps = index_.spec().steps;
    if (node < steps.size()) return steps[node].name;
    const auto& [step, input] = inputs_[node - steps.size()];
    return fmt::format("{}.inputs.{}", steps[step].name, steps[step].inputs[input].name);
  }
  std::string Where(Node node) const {
    const auto& steps = index_.spec().steps;
    if (node < steps.size()) return index_.Where(node, "");
    const auto& [step, input] = inputs_[node - steps.size()];
    return index_.Where(step, "inputs." + steps[step].inputs[input].name);
  }

 private:
  using InputKey = std::pair<std::uint32_t, std::uint32_t>;

  Node InputNode(std::uint32_t step, std::uint32_t input) {
    const auto [found, inserted] =
        nodes_.emplace(InputKey(step, input), static_cast<Node>(edges_.size()));
    if (inserted) {
      edges_.emplace_back();
      inputs_.emplace_back(step, input);
    }
    return found->second;
  }

  void AddReference(const StepReference& reference) {
    const Node source = reference.source_input
                            ? InputNode(reference.source, *reference.source_input)
                            : reference.source;
    edges_[reference.step].push_back(source);
    if (!reference.input) return;
    const auto own = nodes_.find(InputKey(reference.step, *reference.input));
    if (own != nodes_.end()) edges_[own->second].push_back(source);
  }

  const SpecIndex& index_;
  std::vector<std::vector<Node>> edges_;
  std::map<InputKey, Node> nodes_;
  std::vector<InputKey> inputs_;
};

// Depth first, with its own stack: a chain of 100,000 steps is not 100,000 calls deep.
class CycleSearch {
 public:
  CycleSearch(const Graph& graph, Problems* problems)
      : graph_(graph), problems_(problems), states_(graph.size(), State::kNew) {}

  void Run() {
    for (Node node = 0; node < graph_.size(); ++node) {
      if (states_[node] == State::kNew) RunFrom(node);
    }
  }

 private:
  enum class State { kNew, kOnPath, kDone };
  struct Place {
    Node node = 0;
    std::size_t next_edge = 0;
  };

  void RunFrom(Node start) {
    Enter(start);
    while (!path_.empty()) {
      Place& place = path_.back();
      const std::vector<Node>& edges = graph_.edges(place.node);
      if (place.next_edge == edges.size()) {
        states_[place.node] = State::kDone;
        path_.pop_back();
        continue;
      }
      const Node next = edges[place.next_edge++];
      if (states_[next] == State::kNew) {
        Enter(next);
      } else if (states_[next] == State::kOnPath) {
        Report(next);
      }
    }
  }

  void Enter(Node node) {
    states_[node] = State::kOnPath;
    path_.push_back({node, 0});
  }

  void Report(Node first) {
    if (++reported_ > kReportedMax) return;
    std::vector<Node> cycle;
    for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
      cycle.push_back(place->node);
      if (place->node == first) break;
    }
    std::reverse(cycle.begin(), cycle.end());
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    std::string names;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (i == kNamedMax) names += fmt::format("({} more) -> ", cycle.size() - kNamedMax);
      if (i < kNamedMax) names += graph_.NameOf(cycle[i]) + " -> ";
    }
    problems_->Error(
        graph_.Where(cycle.front()),
        fmt::format("the steps wait for each other: {}{}; remove one of these bindings",
                    names,
                    graph_.NameOf(cycle.front())));
  }

  const Graph& graph_;
  Problems* problems_;
  std::vector<State> states_;
  std::vector<Place> path_;
  std::size_t reported_ = 0;
};

}  // namespace

void CheckCycles(const SpecIndex& index,
                 const std::vector<StepReference>& references,
                 Problems* problems) {
  const Graph graph(index, references);
  CycleSearch(graph, problems).Run();
}

}  // namespace potok
