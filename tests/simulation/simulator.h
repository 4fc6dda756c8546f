// A whole cluster in one thread: the real decision core, a store that fails, a server that crashes,
// agents that die and come back, links that stall and break. A seed decides everything.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/domain/decide.h"
#include "tests/simulation/fake_agent.h"
#include "tests/simulation/fake_store.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/random.h"

namespace potok::server {

// That some steps ask for, and that a person registers, limits and deletes.
inline constexpr const char* kPoolOfSimulation = "p";

struct Outcome {
  std::vector<std::string> violations;
  std::size_t runs = 0;
  std::size_t results = 0;
  std::size_t turns = 0;
  std::size_t server_starts = 0;
  std::size_t preemptions = 0;
};

class Simulator {
 public:
  // `trace` writes the history to standard error.
  Simulator(std::uint64_t seed, Break broken, bool trace = false);
  // Some minutes with faults, then without until every run has ended.
  Outcome Run();

 private:
  // Messages under way; each direction keeps its order and may stall.
  struct Link {
    SessionId session = 0;
    std::deque<Event> up;
    std::deque<DownMessage> down;
    absl::Time up_stalled_until = absl::InfinitePast();
    absl::Time down_stalled_until = absl::InfinitePast();
  };
  struct Machine {
    FakeAgent agent;
    Link link;
    absl::Time returns;  // when an agent that is down starts again
  };
  // A turn whose commit has not succeeded yet.
  struct Pending {
    std::int64_t revision = 0;
    Decision decision;
  };
  struct Client {
    std::string run;
    std::shared_ptr<const Plan> plan;
    std::string user;
    bool asked = false;
    bool answered = false;
  };

  void Step();
  bool Done() const;

  // simulator_faults.cc
  void CauseFaults();
  void FaultOnMachine(Machine& machine);
  void CrashServer();
  void SayOfMachine(const Machine& machine);
  void SayOfPool();
  void LiftAll();
  void EndFaults();

  // simulator_server.cc
  void StartServer();
  void TakeTurn();
  void TryCommit();
  void Release(const std::vector<Effect>& effects);
  void Say(const Effect& effect);
  void CheckBooks();
  void CheckRanks(const Decision& decision,
                  const std::map<StepKey, absl::Time>& since,
                  const std::set<StepKey>& promised);
  void CheckPreemptions(const Decision& decision);
  void CheckPoolQuotas(const Decision& decision, const std::map<std::string, TeamRecord>& before);
  void CheckQuotas(const std::map<std::string, TeamRecord>& before);
  void CheckCordons(const Decision& decision, bool ticked);
  void CheckPoolLimits(const Decision& decision);
  void Excuse(const std::string& machine);
  void CheckOrder(const Machine& machine, const SendOrder& order);
  void Hear(const Event& event);
  void Measure(const Report& report);
  std::vector<Event> Tampered(std::vector<Event> events);
  void HideWhatEnded(MachineHello& hello);
  void Forge(MachineReported& reported) const;

  void RunClients();
  std::vector<RunSubmitted::Predecessor> SomePredecessors(std::size_t client);
  void OrderRun(const std::string& run);
  void EditTeams();
  void RunLinks();
  void Deliver(Machine& machine, const DownMessage& message);
  Machine* FindMachine(SessionId session);
  void Violation(const std::string& text);
  void Trace(const std::string& text) const;

  Random random_;
  const Break broken_;
  const bool trace_;
  // All steps want one pool in which teams take back what they are guaranteed.
  const bool crowded_;
  Ledger ledger_;
  FakeStore store_;
  DecideOptions options_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  bool faults_on_ = true;
  // How much of each fault this seed has, per mille and step.
  std::uint32_t commit_faults_ = 0;
  std::uint32_t server_faults_ = 0;
  std::uint32_t machine_faults_ = 0;
  std::uint32_t remarks_ =
      0;  // a person cordons, drains, uncordons and labels machines, limits a pool
  bool wrong_declarations_ = false;  // a person declares living machines dead

  std::deque<Machine> machines_;
  std::vector<Client> clients_;

  // The server.
  bool server_up_ = false;
  absl::Time server_returns_ = absl::InfinitePast();
  State state_;
  std::int64_t revision_ = 0;
  std::optional<Pending> pending_;
  std::vector<Event> inbox_;
  std::vector<SendOrder> again_;  // Break::kOrderAgainWhatEnded
  absl::Time next_tick_ = absl::InfinitePast();
  SessionId next_session_ = 1;
  Outcome outcome_;
};

}  // namespace potok::server
