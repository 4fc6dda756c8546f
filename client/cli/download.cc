#include "client/cli/download.h"

#include <filesystem>
#include <fstream>

#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "client/cli/transfer_report.h"
#include "client/potok_client/artifacts_client.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

namespace fs = std::filesystem;

// The output in which a step's default artifacts are.
constexpr char kDefaultOutput[] = "default";

// One thing to be written.
struct Item {
  fs::path target;
  const v1::OutputValue* output = nullptr;  // else the log of `step`
  std::string step;
};

// A name as one folder: names of steps may hold '/'. ".." cannot climb out.
fs::path FolderOf(const std::string& name) {
  fs::path folder;
  for (const fs::path& part : fs::path(name).relative_path()) {
    if (part != ".." && part != ".") folder /= part;
  }
  return folder;
}

void AddNamed(const v1::OutputValue& output, const fs::path& base, std::vector<Item>* items) {
  const fs::path folder = base / "named-outputs" / FolderOf(output.name());
  if (output.has_artifact() && output.artifact().is_folder()) {
    items->push_back({folder, &output, ""});
  } else {
    const fs::path file = FolderOf(output.artifact().file_name()).filename();
    items->push_back({folder / (file.empty() ? folder.filename() : file), &output, ""});
  }
}

void AddArtifacts(const v1::Run& run, const fs::path& base, std::vector<Item>* items) {
  for (const v1::StepStatus& step : run.steps()) {
    fs::path folder = base / "artifacts";
    if (run.steps_size() > 1) folder /= FolderOf(step.name());
    for (const v1::OutputValue& output : step.outputs()) {
      if (output.name() == kDefaultOutput && output.has_artifact()) {
        items->push_back({folder, &output, ""});
      }
    }
    if (step.log_bytes() > 0) {
      items->push_back({folder / "user_logs" / "std_log.txt", nullptr, step.name()});
    }
  }
}

// The output of this name: the run's, else STEP.OUTPUT.
const v1::OutputValue* FindOutput(const v1::Run& run, const std::string& name) {
  for (const v1::OutputValue& output : run.outputs()) {
    if (output.name() == name) return &output;
  }
  for (const v1::StepStatus& step : run.steps()) {
    for (const v1::OutputValue& output : step.outputs()) {
      const bool own = run.steps_size() == 1 && output.name() == name;
      if (own || step.name() + "." + output.name() == name) return &output;
    }
  }
  return nullptr;
}

absl::Status NoSuchOutput(const v1::Run& run, const std::string& name) {
  std::string known;
  for (const v1::OutputValue& output : run.outputs()) known += " " + output.name();
  for (const v1::StepStatus& step : run.steps()) {
    for (const v1::OutputValue& output : step.outputs()) {
      known += " " + step.name() + "." + output.name();
    }
  }
  return absl::NotFoundError(fmt::format(
      "the run {} has no output {}; it has:{}", run.name(), name, known.empty() ? " none" : known));
}

absl::StatusOr<std::vector<Item>> ItemsOf(const v1::Run& run, const DownloadOptions& options) {
  std::vector<Item> items;
  const fs::path base(options.folder);
  if (!options.output_name.empty()) {
    const v1::OutputValue* output = FindOutput(run, options.output_name);
    if (output == nullptr) return NoSuchOutput(run, options.output_name);
    AddNamed(*output, base, &items);
    return items;
  }
  AddArtifacts(run, base, &items);
  if (!options.all) return items;
  if (run.is_pipeline()) {
    for (const v1::OutputValue& output : run.outputs()) AddNamed(output, base, &items);
    return items;
  }
  // A standalone job's outputs are its step's.
  for (const v1::StepStatus& step : run.steps()) {
    for (const v1::OutputValue& output : step.outputs()) {
      if (output.name() != kDefaultOutput) AddNamed(output, base, &items);
    }
  }
  return items;
}

absl::Status WriteFile(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) return absl::UnavailableError(fmt::format("cannot write {}", path.string()));
  return absl::OkStatus();
}

absl::Status WriteLog(RunsClient& runs, const std::string& run, const Item& item) {
  std::ofstream file(item.target, std::ios::binary | std::ios::trunc);
  v1::LogsRequest request;
  request.set_name(run);
  request.set_step(item.step);
  POTOK_RETURN_IF_ERROR(runs.Logs(
      request, [&](const v1::LogsResponse& part) { file << part.data(); }, std::stop_token()));
  file.close();
  if (!file) return absl::DataLossError(fmt::format("cannot write {}", item.target.string()));
  return absl::OkStatus();
}

absl::Status FetchItem(const Context& context,
                       const Connection& connection,
                       const std::string& run,
                       const Item& item) {
  std::error_code error;
  fs::create_directories(item.target.parent_path(), error);
  if (error) {
    return absl::PermissionDeniedError(fmt::format(
        "cannot make the folder {}: {}", item.target.parent_path().string(), error.message()));
  }
  if (item.output == nullptr) {
    RunsClient runs(connection.channel());
    return WriteLog(runs, run, item);
  }
  if (!item.output->has_artifact()) return WriteFile(item.target, item.output->text());
  POTOK_ASSIGN_OR_RETURN(const Artifact artifact, FromProto(item.output->artifact()));
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  CasClient cas(channel);
  TransferReport report(context, "Downloading " + item.target.string());
  return cas.Fetch(
      artifact, item.target.string(), nullptr, Placing::kCopy, [&](const TransferProgress& now) {
        report.Say(now);
      });
}

}  // namespace

absl::Status Download(const Context& context,
                      const Connection& connection,
                      const DownloadOptions& options) {
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, runs.Get(options.run, /*without_spec=*/true));
  if (!HasEnded(run.status()) && !options.force) {
    return absl::FailedPreconditionError(fmt::format(
        "the run {} is {}: wait for it with `potok job wait -n {}`, or take what is there already "
        "with --force",
        run.name(),
        NameOf(run.status()),
        run.name()));
  }
  if (run.forgotten_us() != 0) {
    return absl::NotFoundError(fmt::format(
        "the outputs and logs of the run {} are deleted since {}: their retention had ended; run "
        "it again to have them again",
        run.name(),
        IsoTime(run.forgotten_us())));
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<Item> items, ItemsOf(run, options));
  for (const Item& item : items) {
    if (!fs::exists(fs::symlink_status(item.target))) continue;
    return absl::AlreadyExistsError(fmt::format(
        "{} is there already and was left as it is; remove it, or choose another folder with -p",
        item.target.string()));
  }
  for (const Item& item : items) {
    POTOK_RETURN_IF_ERROR(FetchItem(context, connection, run.name(), item));
    *context.out << "Downloaded " << Printable(item.target.string()) << std::endl;
  }
  if (items.empty()) *context.out << "The run " << run.name() << " has nothing to download\n";
  return absl::OkStatus();
}

}  // namespace potok::client
