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

Spread SpreadOver(const Contest& contest, const Contestant& contestant, const Column& column) {
  std::vector<double> values;
  for (std::size_t i = 0; i < contestant.measures.size(); ++i) {
    values.push_back(column.figure(contest, contestant.measures[i], i));
  }
  return SpreadOf(values);
}

Spread SpreadOver(const Contestant& contestant,
                  const std::function<double(const Measure&)>& figure) {
  std::vector<double> values;
  for (const Measure& measure : contestant.measures) values.push_back(figure(measure));
  return SpreadOf(values);
}

std::string Percent(double part) {
  return fmt::format("p{:.0f}", part * 100);
}

// With three digits or more that say something.
std::string Number(double value) {
  return fmt::format("{:.{}f}", value, value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : 2);
}

std::string Text(const Spread& spread) {
  return fmt::format("{} / {} / {}", Number(spread.min), Number(spread.median), Number(spread.max));
}

client::Value ObjectOf(const Spread& spread) {
  return client::Object{{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

// Empty, if no round of the contestant could tell it.
std::string CpuText(const Contestant& contestant) {
  std::string text;
  for (const auto& [kind, unused] : contestant.measures[0].cpu_us) {
    const auto of_kind = [&kind = kind](const Measure& m) { return m.cpu_us.at(kind); };
    text += fmt::format("  {} {}", kind, Number(SpreadOver(contestant, of_kind).median));
  }
  return text;
}

// Of medians in the first column: 1 is as good.
double Ratio(const Contest& contest, const Contestant& a, const Contestant& b) {
  const double of_a = SpreadOver(contest, a, contest.columns[0]).median;
  const double of_b = SpreadOver(contest, b, contest.columns[0]).median;
  if (of_a == 0 || of_b == 0) return 0;
  return contest.less_is_better ? of_b / of_a : of_a / of_b;
}

std::string RoundText(const Contest& contest, std::size_t round) {
  std::string text = fmt::format(
      "{} round {}: busy before {:.0f} %", contest.key, round + 1, contest.busy[round] * 100);
  for (const Contestant& contestant : contest.contestants) {
    const Measure& measure = contestant.measures[round];
    text += fmt::format(", {} {} {} (others {:.0f} %)",
                        contestant.name,
                        Number(contest.columns[0].figure(contest, measure, round)),
                        contest.columns[0].name,
                        measure.others * 100);
  }
  return text;
}

}  // namespace

Column RateColumn(const std::string& name) {
  return {"per_second", name, [](const Contest& contest, const Measure& m, std::size_t) {
            return contest.units / m.wall_us * 1e6;
          }};
}

Column RateUntilColumn(const std::string& key, const std::string& name) {
  return {key, name, [key](const Contest& contest, const Measure& m, std::size_t) {
            const auto until = m.also.find(key);
            return until == m.also.end() ? 0 : contest.units / until->second * 1e6;
          }};
}

Column MillisColumn() {
  return {
      "ms", "ms", [](const Contest&, const Measure& m, std::size_t) { return m.wall_us / 1e3; }};
}

Column MicrosPerUnitColumn(const std::string& name) {
  return {"unit_us", name, [](const Contest& contest, const Measure& m, std::size_t) {
            return m.wall_us / contest.units;
          }};
}

Column LatencyColumn(double part) {
  return {Percent(part) + "_us",
          "us " + Percent(part),
          [part](const Contest&, const Measure& m, std::size_t) {
            return Quantile(m.latency_us, part);
          }};
}

Column AboveLimitColumn(double part) {
  return {"above_limit_" + Percent(part) + "_us",
          Percent(part) + " above the limit's p50",
          [part](const Contest& contest, const Measure& m, std::size_t round) {
            const Measure& limit = contest.contestants[0].measures[round];
            if (m.latency_us.empty() || &m == &limit) return 0.0;
            return Quantile(m.latency_us, part) - Quantile(limit.latency_us, 0.5);
          }};
}

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
      for (const auto& [kind, micros] : measure.cpu_us) own_us += micros * contest.units;
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
    text += fmt::format("  {:<24}", contestant.name);
    for (const Column& column : contest.columns) {
      const Spread spread = SpreadOver(contest, contestant, column);
      if (spread.max != 0) text += fmt::format("  {} {}", column.name, Text(spread));
    }
    text += fmt::format("\n  {:<24}  ", "");
    if (&contestant != &limit) {
      text += fmt::format("{:.2f} of {}; ", Ratio(contest, contestant, limit), limit.name);
    }
    const std::string cpu = CpuText(contestant);
    text += cpu.empty() ? "\n" : fmt::format("CPU us per {}:{}\n", contest.unit, cpu);
  }
  return text;
}

client::Value ObjectOf(const Contest& contest) {
  client::Array contestants;
  for (const Contestant& contestant : contest.contestants) {
    client::Object object = {{"name", contestant.name}};
    for (const Column& column : contest.columns) {
      object.emplace_back(column.key, ObjectOf(SpreadOver(contest, contestant, column)));
    }
    object.emplace_back("ratio_to_limit", Ratio(contest, contestant, contest.contestants[0]));
    client::Object cpu;
    for (const auto& [kind, unused] : contestant.measures[0].cpu_us) {
      const auto of_kind = [&kind = kind](const Measure& m) { return m.cpu_us.at(kind); };
      cpu.emplace_back(kind, ObjectOf(SpreadOver(contestant, of_kind)));
    }
    object.emplace_back("cpu_us_per_unit", std::move(cpu));
    const auto others = [](const Measure& m) { return m.others; };
    object.emplace_back("others_share", ObjectOf(SpreadOver(contestant, others)));
    contestants.emplace_back(std::move(object));
  }
  return client::Object{{"key", contest.key},
                        {"title", contest.title},
                        {"units", contest.units},
                        {"unit", contest.unit},
                        {"rounds", static_cast<std::int64_t>(contest.busy.size())},
                        {"busy_before", ObjectOf(SpreadOf(contest.busy))},
                        {"contestants", std::move(contestants)}};
}

}  // namespace potok::bench
