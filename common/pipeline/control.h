// What a step does that is no command: loops, conditions, sweeps, mini-batches, and what other
// systems run. Plain values; the wire form is proto/potok/v1/pipeline.proto.
//
// A step with a body is a step like any other outside: its inputs are bound, it is ready when they
// are known, and it completes with outputs. Inside, ${{parent.inputs.X}} of the body's steps is the
// step's own input X, and what the body promotes (Output::promoted_to) is its output of that name.
// When it is ready the scheduler makes steps of the body, once for each item, iteration or trial,
// under its own name: "fold[3]/fit", or "fold[3]" for a body of one step without a name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/pipeline/spec.h"

namespace potok {

// Of a Condition: the boolean that is looked at, and what it was.
inline constexpr char kConditionInput[] = "condition";
inline constexpr char kTakenOutput[] = "taken";
// Of a ParallelFor: the items, as JSON text (a list of maps, or a map of maps). No port of a user
// can be called so.
inline constexpr char kItemsInput[] = "$items";

// if_else: completes at once, without a machine; the blocks look at its output by Step::when.
struct Condition {};

struct DoWhile {
  // Name of the body's boolean output that asks for one more iteration, or "true".
  std::string condition;
  // The body's output, and the inputs that have its value in the next iteration.
  std::map<std::string, std::vector<std::string>> mapping;
  std::int32_t max_iterations = 0;  // 1 to 1000
};

struct ParallelFor {
  std::int32_t max_concurrency = 0;  // items at a time; 0: all
};

struct SearchParameter {
  std::string name;  // of the body's input
  // choice, randint, uniform, loguniform, quniform, qloguniform, normal, lognormal, qnormal,
  // qlognormal
  std::string type;
  std::vector<std::string> values;        // of a choice: text, or JSON for maps
  std::map<std::string, double> numbers;  // upper, min_value, max_value, mu, sigma, q
};

struct EarlyTermination {
  std::string policy;  // bandit, median_stopping, truncation_selection; empty: none
  double slack_factor = 0;
  double slack_amount = 0;
  std::int32_t truncation_percentage = 0;
  bool exclude_finished_jobs = false;
  std::int32_t evaluation_interval = 1;  // one: each time that the metric is logged
  std::int32_t delay_evaluation = 0;     // intervals
};

struct Sweep {
  std::vector<SearchParameter> space;
  std::string algorithm;  // random, grid, bayesian
  std::string rule;       // of random: random, sobol
  std::optional<std::int64_t> seed;
  std::optional<double> logbase;
  std::string primary_metric;
  bool maximize = false;
  std::int32_t max_total_trials = 0;
  std::int32_t max_concurrent_trials = 0;  // 0: all
  std::int64_t timeout_seconds = 0;        // of the whole; 0: none
  std::int64_t trial_timeout_seconds = 0;
  EarlyTermination early_termination;
};

// A `parallel` step: the files of an input in mini-batches, each given to a Python script.
struct Parallel {
  std::string entry_script;       // in the step's code
  std::string program_arguments;  // a template as a command
  std::string input_data;         // name of the input
  std::string append_row_to;      // name of the output, or empty
  std::string mini_batch_size;    // "5" files, or "10kb" of a table
  std::vector<std::string> partition_keys;
  std::int32_t mini_batch_error_threshold = -1;  // -1: all may fail
  std::int32_t error_threshold = -1;
  std::int32_t max_retries = 2;  // of one mini-batch
  std::int64_t batch_timeout_seconds = 60;
  std::int32_t max_concurrency_per_instance = 0;  // 0: as many as CPUs
  std::string logging_level;
};

// What another service runs (spark, automl, import, data_transfer, flows, components of a registry
// elsewhere): read and planned whole, and refused when it is submitted.
struct Opaque {
  std::string type;     // "spark", "automl", "registry component"
  std::string instead;  // what to use, one sentence
};

// A pipeline in a pipeline, while files are read and checked. Flatten (flatten.h) puts its steps in
// its place, so that it is never sent and no server sees one.
struct Nested {};

// A command on several machines at once. The server makes it of Step::instance_count when it plans
// (server/domain/gang.h), with a member in the body for each machine, so that it is never sent.
struct Gang {};

struct Control {
  std::variant<Condition, DoWhile, ParallelFor, Sweep, Parallel, Opaque, Nested, Gang> kind;
  // Of DoWhile, ParallelFor, Sweep, Nested and Gang; names are relative. One step of a body may
  // have an empty name if it is alone.
  std::vector<Step> body;
};

}  // namespace potok
