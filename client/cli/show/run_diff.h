// What differs between two runs. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client/cli/text/table.h"
#include "client/cli/text/value.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// Something that is not the same in both; empty where it is in one of them only.
struct Difference {
  std::string field;  // "command", "inputs.lr.value", "outputs.model/weights.bin"
  std::string a;
  std::string b;
};

struct StepDifference {
  std::string name;
  enum class In { kBoth, kOnlyA, kOnlyB } in = In::kBoth;
  std::vector<Difference> definition;
  std::vector<Difference> results;  // status, seconds, exit code, attempts, machine
  std::vector<Difference> outputs;
  std::vector<Difference> metrics;  // and parameters that it logged
  // How long it ran, and how it ended, also where that is the same.
  std::string status_a, status_b;
  double seconds_a = 0, seconds_b = 0;
};

struct RunDifference {
  std::vector<Difference> definition;  // of the run itself: inputs, outputs, settings
  std::vector<Difference> results;
  std::vector<StepDifference> steps;  // all steps of both, in the order of A, then those only of B

  // True if nothing but results' times, reasons and metrics differs.
  bool IsSame() const;
};

// The files that differ between two folders, as "weights.bin"; empty if that cannot be told. Called
// for outputs of the same name and different bytes.
using FilesThatDiffer =
    std::function<std::vector<Difference>(const v1::Artifact& a, const v1::Artifact& b)>;

// Both runs with their specs. `files` may be null.
RunDifference Diff(const v1::Run& a, const v1::Run& b, const FilesThatDiffer& files);

// What each step logged: {"train": {"metrics.loss": "0.1", "params.lr": "3"}}.
using LoggedValues = std::map<std::string, std::map<std::string, std::string>>;
void AddMetrics(const LoggedValues& a, const LoggedValues& b, RunDifference* difference);

// As `job diff -o json`, and for people.
Value DiffObject(const v1::Run& a, const v1::Run& b, const RunDifference& difference);
std::string DiffText(const v1::Run& a,
                     const v1::Run& b,
                     const RunDifference& difference,
                     const TableStyle& style = {});

}  // namespace potok::client
