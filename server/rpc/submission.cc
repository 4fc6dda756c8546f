#include "server/rpc/submission.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "common/pipeline/asset_reference.h"
#include "common/pipeline/control.h"
#include "common/pipeline/webhooks.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "server/artifacts/datastore_uri.h"
#include "server/artifacts/web_address.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "server/rpc/completion.h"
#include "server/rpc/run_name.h"

namespace potok::server {

namespace {

// A pipeline with so many steps looks for the results of whole runs.
constexpr std::size_t kManySteps = 8;

absl::Status CheckRequestId(const std::string& id) {
  const bool good = !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "request_id must be 1 to 128 characters of [A-Za-z0-9_.-], chosen anew for each submission");
}

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

absl::Status CheckPresent(ArtifactStore& store, const Artifact& artifact) {
  // A machine makes a file of this name.
  if (!artifact.file_name.empty()) POTOK_RETURN_IF_ERROR(CheckName(artifact.file_name));
  POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, store.MissingOf(artifact));
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{} of its files {} not in the store (for example {}); upload what is new before submitting, "
      "and replace what was deleted",
      missing.size(),
      missing.size() == 1 ? "is" : "are",
      missing.front().Hex()));
}

absl::Status At(const std::string& where, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("{}: {}", where, std::string(status.message())));
}

// Those that the run wants notified.
absl::Status CheckWebhooks(const PipelineSpec& spec, bool local_sources) {
  POTOK_ASSIGN_OR_RETURN(const Webhooks webhooks, WebhooksOf(spec.properties));
  for (const std::string& url : webhooks.urls) {
    const absl::Status checked = CheckWebAddress(url, local_sources);
    if (checked.ok()) continue;
    const std::string shown = WithoutSecrets(url);
    return At(fmt::format("'{}' cannot be notified", shown), checked);
  }
  return absl::OkStatus();
}

// Whether a value must be got from somewhere.
bool IsToBeFound(const Input& input) {
  const auto* value = std::get_if<UriValue>(&input.value);
  // A registered name is no address that could be handed on.
  return value != nullptr && (input.mode != Mode::kDirect || IsRegistered(value->uri));
}

bool HasDataToFind(const PipelineSpec& spec) {
  return std::ranges::any_of(spec.inputs, IsToBeFound) ||
         std::ranges::any_of(spec.steps, [](const Step& step) {
           return std::ranges::any_of(step.inputs, IsToBeFound);
         });
}

// Names under which outputs will be registered: a wrong one would only be found when the work is
// done.
absl::Status CheckAssetNames(const std::vector<Output>& outputs, const std::string& where) {
  for (const Output& output : outputs) {
    if (output.asset_name.empty()) continue;
    absl::Status checked = CheckAssetName(AssetKind::kData, output.asset_name);
    if (checked.ok() && !output.asset_version.empty()) {
      checked = CheckAssetVersion(output.asset_version);
    }
    if (!checked.ok()) return At(fmt::format("{}outputs.{}", where, output.name), checked);
  }
  return absl::OkStatus();
}

absl::Status CheckAssetNames(const PipelineSpec& spec) {
  POTOK_RETURN_IF_ERROR(CheckAssetNames(spec.outputs, ""));
  for (const Step& step : spec.steps) {
    POTOK_RETURN_IF_ERROR(CheckAssetNames(step.outputs, "jobs." + step.name + "."));
  }
  return absl::OkStatus();
}

// Where outputs will be written: a wrong place would only be found when the work is done. `known`
// are datastores that are there.
absl::Status CheckDestinations(const PipelineSpec& spec,
                               const std::vector<Step>& steps,
                               const Datastores& datastores,
                               std::set<std::string>& known) {
  for (const Step& step : steps) {
    for (const Output& output : step.outputs) {
      if (IsPrimitive(output.type)) continue;
      const auto place = DestinationOf(spec, "run", step.name, output);
      if (!place.ok() || place->empty()) continue;  // validation says what is wrong
      const auto parsed = ParseDatastoreUri(*place);
      const bool is_known = parsed.ok() && known.contains(parsed->datastore);
      const absl::Status checked = is_known ? absl::OkStatus() : datastores.Check(*place);
      if (!checked.ok()) {
        return At(fmt::format("jobs.{}.outputs.{}.path", step.name, output.name), checked);
      }
      known.insert(parsed->datastore);
    }
    if (step.control == nullptr) continue;
    POTOK_RETURN_IF_ERROR(CheckDestinations(spec, step.control->body, datastores, known));
  }
  return absl::OkStatus();
}

// What is to be said of pools that steps ask for and that there are not, each once.
std::vector<std::string> UnknownPools(const State& state,
                                      const Plan& plan,
                                      const DecideOptions& options) {
  const Pools pools(state, options);
  std::set<std::string> unknown;
  for (const Shape& shape : plan.shapes) {
    if (!pools.Knows(shape.pool)) unknown.insert(NoSuchPool(pools, shape.pool));
  }
  return {unknown.begin(), unknown.end()};
}

// Whether the step's machines are as many as it names workers and parameter servers; each is one.
bool HasMachineForEachRole(const Step& step) {
  const auto count = [&](const char* name, std::int64_t otherwise) {
    const auto written = step.distribution.properties.find(name);
    std::int64_t value = 0;
    if (written == step.distribution.properties.end()) return otherwise;
    return absl::SimpleAtoi(written->second, &value) ? value : -1;
  };
  const std::int64_t servers = count("parameter_server_count", 0);
  return count("worker_count", step.instance_count - servers) + servers == step.instance_count;
}

// Of what a step asks for and gets otherwise than elsewhere.
void WarnOfDistribution(const Plan& plan, std::vector<std::string>& warnings) {
  for (std::uint32_t i = 0; i < plan.submitted(); ++i) {
    const Step& step = plan.definition(i);
    if (step.instance_count > 1 && step.control != nullptr && !IsGang(step)) {
      warnings.push_back(
          fmt::format("jobs.{}: asks for {} instances; its mini-batches run on one machine",
                      plan.NameOf(i),
                      step.instance_count));
    }
    if (step.distribution.type == "tensorflow" && !HasMachineForEachRole(step)) {
      warnings.push_back(
          fmt::format("jobs.{}: its workers and parameter servers are not as many as its machines, "
                      "which are {}; each machine is one of them: set resources.instance_count",
                      plan.NameOf(i),
                      step.instance_count));
    }
    if (step.distribution.type == "ray" && step.instance_count > 1) {
      warnings.push_back(fmt::format(
          "jobs.{}: no Ray cluster is started for it; each of its {} machines runs the command, "
          "which finds the others by POTOK_NODES",
          plan.NameOf(i),
          step.instance_count));
    }
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Plan>> PlanOfStoredSpec(const std::string& bytes) {
  v1::PipelineSpec message;
  if (!message.ParseFromString(bytes)) {
    return absl::DataLossError("the stored pipeline cannot be read");
  }
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, potok::FromProto(message));
  return RebuildPlan(std::move(spec));
}

absl::StatusOr<Artifact> Submission::FindUri(const std::string& uri, ValueType type, Found& found) {
  if (IsRegistered(uri)) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is the name of something registered, and a run pins what it is made of: ask "
        "Registry.Resolve for it, and submit the artifact or address that its path names (`potok "
        "job create` does so)",
        uri));
  }
  if (StartsWith(uri, "azureml://jobs/") || StartsWith(uri, "runs:/")) return find_output_(uri);
  if (StartsWith(uri, "azureml://")) return datastores_.Import(uri);
  if (!IsWebAddress(uri)) {
    return absl::InvalidArgumentError(
        fmt::format("data at {} is not fetched by this server; download it and give the local "
                    "path, or use mode: direct to hand the address to the command",
                    uri));
  }
  if (type == ValueType::kUriFolder || type == ValueType::kMltable) {
    return absl::InvalidArgumentError(fmt::format(
        "an address on the web is one file, not a {}: use type: uri_file, or mode: direct to hand "
        "the address to the command",
        NameOf(type)));
  }
  if (const auto known = found.files.find(uri); known != found.files.end()) return known->second;
  POTOK_ASSIGN_OR_RETURN(const Artifact file, web_files_.Find(uri, found.is_wanted));
  return found.files[uri] = file;
}

absl::Status Submission::FindInput(Input& input, Found& found) {
  if (const auto* artifact = std::get_if<Artifact>(&input.value)) {
    return CheckPresent(store_, *artifact);
  }
  if (!IsToBeFound(input)) return absl::OkStatus();
  const std::string uri = std::get<UriValue>(input.value).uri;
  POTOK_ASSIGN_OR_RETURN(input.value, FindUri(uri, input.type, found));
  return absl::OkStatus();
}

// Where a problem is, is made up for that problem only: a large pipeline has many inputs.
absl::Status Submission::FindData(PipelineSpec& spec, Found& found) {
  for (Input& input : spec.inputs) {
    const absl::Status status = FindInput(input, found);
    if (!status.ok()) return At("inputs." + input.name, status);
  }
  for (Step& step : spec.steps) {
    for (Input& input : step.inputs) {
      const absl::Status status = FindInput(input, found);
      if (!status.ok()) return At(fmt::format("jobs.{}.inputs.{}", step.name, input.name), status);
    }
    if (const auto* code = std::get_if<Artifact>(&step.code)) {
      const absl::Status present = CheckPresent(store_, *code);
      if (!present.ok()) return At(fmt::format("jobs.{}.code", step.name), present);
    }
  }
  return absl::OkStatus();
}

// The scheduler's view of the machines that a plan meets; UNAVAILABLE when it is stopping.
absl::StatusOr<Submission::Answers> Submission::AskScheduler(
    const Plan& plan, const std::vector<std::uint64_t>& roots) {
  auto promise = std::make_shared<std::promise<Answers>>();
  std::future<Answers> answer = promise->get_future();
  const bool asked = scheduler_.Ask([promise, &plan, &roots, options = options_.decide](
                                        const State& state) {
    const bool may_reuse = std::ranges::any_of(
        roots, [&](std::uint64_t root) { return state.reuse.offered.contains(root); });
    promise->set_value(
        {CheckSatisfiable(state, plan, options), UnknownPools(state, plan, options), may_reuse});
  });
  if (!asked) return absl::UnavailableError("the server is stopping");
  // What the question refers to is only borrowed, so the wait has no end but the scheduler's own.
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return absl::UnavailableError("the server is stopping");
  }
}

absl::Status Submission::CheckMachines(Prepared& prepared) {
  const std::vector<std::uint64_t> roots = PrefixesOfRoots(prepared.plan);
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(options_.first_machine_wait);
  while (true) {
    POTOK_ASSIGN_OR_RETURN(const Answers answers, AskScheduler(*prepared.plan, roots));
    prepared.may_reuse = answers.may_reuse;
    if (answers.satisfiable.code() != absl::StatusCode::kUnavailable) {
      for (const std::string& pool : answers.unknown_pools) {
        prepared.warnings.push_back("compute: " + pool + "; the default pool is used");
      }
      return answers.satisfiable;
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  prepared.warnings.emplace_back(
      "no machine is known yet: the run waits until an agent connects (potok machine list)");
  return absl::OkStatus();
}

absl::StatusOr<Prepared> Submission::Prepare(PipelineSpec spec,
                                             const std::function<bool()>& is_wanted) {
  if (!spec.name.empty()) POTOK_RETURN_IF_ERROR(CheckRunName(spec.name));
  POTOK_RETURN_IF_ERROR(CheckAssetNames(spec));
  POTOK_RETURN_IF_ERROR(CheckWebhooks(spec, options_.web.local_sources));
  std::set<std::string> known_datastores;
  POTOK_RETURN_IF_ERROR(CheckDestinations(spec, spec.steps, datastores_, known_datastores));
  Prepared prepared;
  prepared.found_data = HasDataToFind(spec);
  // What is wrong is refused before anything is fetched for it.
  if (prepared.found_data) POTOK_RETURN_IF_ERROR(CheckSpec(spec));
  Found found{is_wanted, {}};
  POTOK_RETURN_IF_ERROR(FindData(spec, found));
  if (prepared.found_data) prepared.bytes = ToProto(spec).SerializeAsString();
  POTOK_ASSIGN_OR_RETURN(prepared.plan, BuildPlan(std::move(spec)));
  POTOK_RETURN_IF_ERROR(CheckMachines(prepared));
  WarnOfDistribution(*prepared.plan, prepared.warnings);
  return prepared;
}

absl::StatusOr<Foresight> Submission::Foresee(const std::shared_ptr<const Plan>& plan) {
  // What was offered a moment ago may not be in the tables yet.
  POTOK_RETURN_IF_ERROR(
      projector_.WaitFor(scheduler_.committed_revision(), options_.answer_wait, Haste::kNow));
  const bool expects_many = plan->size() >= kManySteps;
  ResultSearch search(reader_, store_, absl::Now(), expects_many);
  return server::Foresee(plan, search);
}

absl::StatusOr<std::vector<RunSubmitted::Predecessor>> Submission::FindPredecessors(
    const std::vector<v1::RunDependency>& after, const std::string& own) {
  std::vector<RunSubmitted::Predecessor> found;
  if (after.empty()) return found;
  POTOK_RETURN_IF_ERROR(
      projector_.WaitFor(scheduler_.committed_revision(), options_.answer_wait, Haste::kNow));
  for (const v1::RunDependency& one : after) {
    if (one.run() == own) {
      return absl::InvalidArgumentError(
          fmt::format("after: the run '{}' cannot start after itself; name another one", own));
    }
    const auto row = reader_.GetRun(one.run());
    if (!row.ok()) return At("after", row.status());
    RunSubmitted::Predecessor& predecessor = found.emplace_back();
    predecessor.after = {row->added.id, row->added.name, one.only_if_completed()};
    if (IsTerminal(row->status)) predecessor.ended = row->status;
  }
  return found;
}

absl::StatusOr<Accepted> Submission::Submit(PipelineSpec spec,
                                            std::string bytes,
                                            const std::string& request_id,
                                            const Submitter& submitter,
                                            const std::function<bool()>& is_wanted) {
  POTOK_RETURN_IF_ERROR(CheckRequestId(request_id));
  if (projector_.backlog_bytes() > options_.projection_backlog_max) {
    return absl::ResourceExhaustedError(
        "the server is busy storing what has already been submitted; try again in a few seconds");
  }
  Accepted accepted;
  accepted.name = spec.name.empty() ? MakeRunName() : spec.name;
  // An unknown one is refused before anything is fetched.
  POTOK_RETURN_IF_ERROR(FindPredecessors(submitter.after, accepted.name).status());
  POTOK_ASSIGN_OR_RETURN(Prepared prepared, Prepare(std::move(spec), is_wanted));
  accepted.warnings = std::move(prepared.warnings);
  RunSubmitted run;
  if (prepared.may_reuse) {
    auto foresight = Foresee(prepared.plan);
    if (foresight.ok()) {
      run.found = std::make_shared<const FoundResults>(std::move(foresight->found));
    } else {
      // Its steps are looked up one by one, when they are ready.
      spdlog::warn("results not looked up at submission run={}: {}",
                   accepted.name,
                   foresight.status().ToString());
    }
  }
  if (prepared.found_data) bytes = std::move(prepared.bytes);
  run.spec = DigestOf(bytes);
  POTOK_RETURN_IF_ERROR(reader_.PutSpec(run.spec, bytes));
  POTOK_ASSIGN_OR_RETURN(run.after, FindPredecessors(submitter.after, accepted.name));
  Replies::Pending pending = replies_.Expect();
  run.reply = pending.token;
  run.name = accepted.name;
  run.request_id = request_id;
  run.plan = prepared.plan;
  run.submitter = submitter.name;
  if (!scheduler_.Post(std::move(run))) {
    return absl::ResourceExhaustedError(
        "the server has too much to do; try again in a few seconds");
  }
  POTOK_ASSIGN_OR_RETURN(accepted.name, replies_.Wait(std::move(pending), options_.answer_wait));
  return accepted;
}

}  // namespace potok::server
