#include "tests/bench/contest.h"

#include <algorithm>
#include <cmath>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/machine.h"

namespace potok::bench {
namespace {

struct Spread {
  double min = 0;
  double median = 0;
  double max = 0;
};

Spread SpreadOf(const std::vector<double>& values) {
  return {Quantile(values, 0), Quantile(values, 0.5), Quantile(values, 1)};
}

using Figure = std::function<double(const Measure&, std::size_t round)>;

Spread SpreadOver(const Contestant& contestant, const Figure& figure) {
  std::vector<double> values;
  for (std::size_t i = 0; i < contestant.measures.size(); ++i) {
    values.push_back(figure(contestant.measures[i], i));
  }
  return SpreadOf(values);
}

double Rate(const Contest& contest, const Measure& measure) {
  return contest.steps / measure.wall_us * 1e6;
}

// A figure that a contest is about. Latencies are those above the bare start's median of the same
// round.
struct Column {
  std::string key;
  std::string name;
  Figure figure;
};

std::vector<Column> ColumnsOf(const Contest& contest) {
  if (!contest.is_chain) {
    return {{"steps_per_second", "steps/s", [&](const Measure& m, std::size_t) {
               return Rate(contest, m);
             }}};
  }
  const auto bare = [&](std::size_t round) {
    return Quantile(contest.contestants[0].measures[round].latency_us, 0.5);
  };
  const auto above = [bare](double part) {
    return [bare, part](const Measure& m, std::size_t round) {
      return m.latency_us.empty() ? 0 : Quantile(m.latency_us, part) - bare(round);
    };
  };
  return {{"step_us",
           "us per step",
           [&](const Measure& m, std::size_t) { return m.wall_us / contest.steps; }},
          {"above_bare_p50_us", "p50 above bare", above(0.5)},
          {"above_bare_p99_us", "p99 above bare", above(0.99)}};
}

std::string Text(const Spread& spread) {
  return fmt::format("{:.0f} / {:.0f} / {:.0f}", spread.min, spread.median, spread.max);
}

client::Value ObjectOf(const Spread& spread) {
  return client::Object{{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

// Empty, if no round of the contestant could tell it.
std::string CpuText(const Contestant& contestant) {
  std::string text;
  for (const auto& [kind, unused] : contestant.measures[0].cpu_us) {
    const auto of_kind = [&kind = kind](const Measure& m, std::size_t) {
      return m.cpu_us.at(kind);
    };
    text += fmt::format("  {} {:.0f}", kind, SpreadOver(contestant, of_kind).median);
  }
  return text;
}

Figure WorkOf(const Contest& contest) {
  return ColumnsOf(contest)[0].figure;
}

// Of medians: how this contestant stands to another, by rate.
double Ratio(const Contest& contest, const Contestant& a, const Contestant& b) {
  const double of_a = SpreadOver(a, WorkOf(contest)).median;
  const double of_b = SpreadOver(b, WorkOf(contest)).median;
  const double larger_is_better = of_b > 0 ? of_a / of_b : 0;
  return contest.is_chain && larger_is_better > 0 ? 1 / larger_is_better : larger_is_better;
}

std::string RoundText(const Contest& contest, std::size_t round) {
  std::string text = fmt::format(
      "{} round {}: busy before {:.0f} %", contest.key, round + 1, contest.busy[round] * 100);
  for (const Contestant& contestant : contest.contestants) {
    const Measure& measure = contestant.measures[round];
    text += fmt::format(", {} {:.0f} {} (others {:.0f} %)",
                        contestant.name,
                        WorkOf(contest)(measure, round),
                        ColumnsOf(contest)[0].name,
                        measure.others * 100);
  }
  return text;
}

}  // namespace

double Quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(part * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

absl::Status Hold(Contest& contest,
                  int rounds,
                  const Gate& gate,
                  const std::function<void(const std::string&)>& told) {
  for (Contestant& contestant : contest.contestants) {
    POTOK_RETURN_IF_ERROR(contestant.round().status());  // write-ahead log and caches are warm then
  }
  for (int round = 0; round < rounds; ++round) {
    contest.busy.push_back(WaitForQuiet(gate.busy_max, gate.seconds_max));
    for (Contestant& contestant : contest.contestants) {
      const MachineTime before = ReadMachineTime();
      POTOK_ASSIGN_OR_RETURN(Measure measure, contestant.round());
      const MachineTime after = ReadMachineTime();
      double own_us = 0;
      for (const auto& [kind, micros] : measure.cpu_us) own_us += micros * contest.steps;
      const double others_us = after.busy_us - before.busy_us - own_us;
      measure.others = std::max(others_us / (after.total_us - before.total_us), 0.0);
      contestant.measures.push_back(std::move(measure));
    }
    told(RoundText(contest, static_cast<std::size_t>(round)));
  }
  return absl::OkStatus();
}

std::string TextOf(const Contest& contest) {
  std::string text = fmt::format("{}: {}\n", contest.key, contest.title);
  const Contestant& limit = contest.contestants[0];
  for (const Contestant& contestant : contest.contestants) {
    text += fmt::format("  {:<18}", contestant.name);
    for (const Column& column : ColumnsOf(contest)) {
      const Spread spread = SpreadOver(contestant, column.figure);
      const bool is_told =
          spread.max != 0 && (&contestant != &limit || column.key != "above_bare_p50_us");
      if (is_told) text += fmt::format("  {} {}", column.name, Text(spread));
    }
    text += fmt::format("\n  {:<18}  ", "");
    if (&contestant != &limit) {
      text += fmt::format("{:.2f} of {}; ", Ratio(contest, contestant, limit), limit.name);
    }
    text += fmt::format("CPU us per step:{}\n", CpuText(contestant));
  }
  return text;
}

client::Value ObjectOf(const Contest& contest) {
  client::Array contestants;
  for (const Contestant& contestant : contest.contestants) {
    client::Object object = {{"name", contestant.name}};
    for (const Column& column : ColumnsOf(contest)) {
      object.emplace_back(column.key, ObjectOf(SpreadOver(contestant, column.figure)));
    }
    object.emplace_back("ratio_to_limit", Ratio(contest, contestant, contest.contestants[0]));
    client::Object cpu;
    for (const auto& [kind, unused] : contestant.measures[0].cpu_us) {
      const auto of_kind = [&kind = kind](const Measure& m, std::size_t) {
        return m.cpu_us.at(kind);
      };
      cpu.emplace_back(kind, ObjectOf(SpreadOver(contestant, of_kind)));
    }
    object.emplace_back("cpu_us_per_step", std::move(cpu));
    const auto others = [](const Measure& m, std::size_t) { return m.others; };
    object.emplace_back("others_share", ObjectOf(SpreadOver(contestant, others)));
    contestants.emplace_back(std::move(object));
  }
  return client::Object{{"key", contest.key},
                        {"title", contest.title},
                        {"steps", contest.steps},
                        {"rounds", static_cast<std::int64_t>(contest.busy.size())},
                        {"busy_before", ObjectOf(SpreadOf(contest.busy))},
                        {"contestants", std::move(contestants)}};
}

}  // namespace potok::bench
