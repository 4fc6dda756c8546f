#include "agent/runtime/python_environments.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::agent {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kBuildPatience = absl::Hours(2);
// Written when all else is there, and again at every use; holds the bytes of the folder.
constexpr const char* kWhole = "potok-whole";
constexpr const char* kRequirements = "potok-requirements.txt";

std::string FindIn(const std::map<std::string, std::string>& environment,
                   const std::vector<std::string>& names) {
  const auto path = environment.find("PATH");
  const std::string folders = path == environment.end() ? "/usr/bin:/bin" : path->second;
  for (const std::string& name : names) {
    const std::vector<std::string> all = absl::StrSplit(folders, ':', absl::SkipEmpty());
    for (const std::string& folder : all) {
      std::string candidate = folder + "/" + name;
      if (folder[0] == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return "";
}

// "3.10" of "3.10.4".
std::string MinorOf(const std::string& version) {
  const std::size_t first = version.find('.');
  if (first == std::string::npos) return version;
  return version.substr(0, version.find_first_not_of("0123456789", first + 1));
}

std::int64_t BytesIn(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error) || it->is_symlink(error)) continue;
    bytes += static_cast<std::int64_t>(it->file_size(error));
  }
  return bytes;
}

// Of files of this machine among the packages: what is in them, by a digest each.
std::string LocalContent(const PythonPackages& packages) {
  std::string text;
  for (const std::string& package : packages.packages) {
    std::error_code error;
    if (!package.starts_with('/') || !fs::is_regular_file(package, error)) continue;
    std::stringstream content;
    content << std::ifstream(package, std::ios::binary).rdbuf();
    text += fmt::format("content {}\n", DigestOf(content.str()).Hex());
  }
  return text;
}

std::string TextOfPackages(const PythonPackages& packages) {
  return fmt::format("python {}\npip {}\nconda {}\nchannels {}\n",
                     packages.python,
                     fmt::join(packages.packages, "\n"),
                     fmt::join(packages.conda, "\n"),
                     fmt::join(packages.channels, "\n"));
}

}  // namespace

absl::StatusOr<std::vector<std::vector<std::string>>> BuildSteps(const PythonPackages& packages,
                                                                 const std::string& python,
                                                                 const std::string& conda,
                                                                 const std::string& folder) {
  std::vector<std::vector<std::string>> steps;
  if (packages.conda.empty() && !python.empty()) {
    steps.push_back({python, "-m", "venv", folder});
  } else if (!conda.empty()) {
    std::vector<std::string> create = {conda, "create", "--yes", "--quiet", "--prefix", folder};
    for (const std::string& channel : packages.channels) {
      create.insert(create.end(), {"--channel", channel});
    }
    create.push_back(packages.python.empty() ? "python" : "python=" + packages.python);
    create.emplace_back("pip");
    create.insert(create.end(), packages.conda.begin(), packages.conda.end());
    steps.push_back(std::move(create));
  } else if (!packages.conda.empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "the environment has conda's packages {}, and this machine has no conda, mamba or "
        "micromamba; install one, or name the packages under pip:",
        fmt::join(packages.conda, ", ")));
  } else {
    return absl::FailedPreconditionError(fmt::format(
        "the environment needs Python {}, and this machine has neither python{} nor conda; install "
        "one of them",
        packages.python.empty() ? "3" : packages.python,
        packages.python.empty() ? "3" : MinorOf(packages.python)));
  }
  if (packages.packages.empty()) return steps;
  steps.push_back({folder + "/bin/python",
                   "-m",
                   "pip",
                   "install",
                   "--no-input",
                   "--disable-pip-version-check",
                   "--requirement",
                   folder + "/" + kRequirements});
  return steps;
}

std::string PythonEnvironments::FolderOf(const std::string& shown) const {
  constexpr std::size_t kHexDigits = 64;
  const std::string kBefore = "sha256:";
  const std::size_t at = shown.find(kBefore);
  if (at == std::string::npos || shown.size() < at + kBefore.size() + kHexDigits) return "";
  return options_.folder + "/" + shown.substr(at + kBefore.size(), kHexDigits);
}

absl::StatusOr<PythonEnvironment> PythonEnvironments::Get(const PythonPackages& packages,
                                                          const std::string& log,
                                                          const std::function<bool()>& canceled) {
  const std::string minor = MinorOf(packages.python);
  const std::string python =
      FindIn(options_.environment, {packages.python.empty() ? "python3" : "python" + minor});
  // Another interpreter, other compiled packages.
  std::error_code unresolved;
  const std::string base = python.empty() ? "" : fs::weakly_canonical(python, unresolved).string();
  const Digest digest =
      DigestOf(TextOfPackages(packages) + LocalContent(packages) + "base " + base + "\n");
  PythonEnvironment environment;
  environment.folder = options_.folder + "/" + digest.Hex();
  environment.shown =
      fmt::format("python{} sha256:{}", minor.empty() ? "" : " " + minor, digest.Hex());
  const std::string whole = environment.folder + "/" + kWhole;
  const auto build_if_new = [&]() -> absl::Status {
    std::error_code error;
    if (!fs::exists(whole, error)) {
      POTOK_RETURN_IF_ERROR(Build(packages, python, environment.folder, log, canceled));
    }
    fs::last_write_time(whole, fs::file_time_type::clock::now(), error);
    return absl::OkStatus();
  };
  POTOK_RETURN_IF_ERROR(builds_.Do(digest.Hex(), canceled, build_if_new));
  return environment;
}

absl::Status PythonEnvironments::Build(const PythonPackages& packages,
                                       const std::string& python,
                                       const std::string& folder,
                                       const std::string& log,
                                       const std::function<bool()>& canceled) {
  const std::string conda = FindIn(options_.environment, {"micromamba", "mamba", "conda"});
  POTOK_ASSIGN_OR_RETURN(const auto steps, BuildSteps(packages, python, conda, folder));
  // Not elsewhere and renamed: programs of an environment name its folder in their first line.
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(options_.folder, error);
  spdlog::info("python environment is built folder={}", folder);
  std::ofstream(log, std::ios::app) << "potok: building the Python environment\n";
  for (const std::vector<std::string>& step : steps) {
    ProgramRun run;
    run.argv = step;
    run.environment = options_.environment;
    run.timeout = kBuildPatience;
    run.canceled = canceled;
    run.output_file = log;
    absl::StatusOr<ProgramEnd> end = RunProgram(run);
    if (end.ok() && end->code == 0) {
      std::ofstream(folder + "/" + kRequirements)
          << fmt::format("{}\n", fmt::join(packages.packages, "\n"));
      continue;
    }
    fs::remove_all(folder, error);
    if (!end.ok()) return end.status();
    std::ofstream(log, std::ios::app) << end->errors;
    return absl::FailedPreconditionError(
        fmt::format("could not build the Python environment: {} failed: {}; see the log, and "
                    "whether this machine reaches a package index (pip config list)",
                    fs::path(step.front()).filename().string() +
                        (step.size() > 2 ? " " + step[1] + " " + step[2] : ""),
                    LastWords(*end)));
  }
  std::ofstream(folder + "/" + kWhole) << BytesIn(folder) << "\n";
  Collect(folder);
  return absl::OkStatus();
}

void PythonEnvironments::Collect(const std::string& but) {
  if (options_.bytes_max == 0) return;
  // What attempts use, by their own words.
  std::string used;
  std::error_code error;
  for (const auto& attempt : fs::directory_iterator(options_.attempts, error)) {
    std::ifstream file(attempt.path() / "runtime");
    std::stringstream text;
    text << file.rdbuf();
    used += text.str() + "\n";
  }
  struct Kept {
    fs::file_time_type last_use;
    std::string folder;
    std::int64_t bytes = 0;
  };
  std::vector<Kept> all;
  std::int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(options_.folder, error)) {
    const fs::path whole = entry.path() / kWhole;
    if (!fs::exists(whole, error)) continue;  // is being built
    Kept kept{fs::last_write_time(whole, error), entry.path(), 0};
    std::ifstream(whole) >> kept.bytes;
    bytes += kept.bytes;
    all.push_back(std::move(kept));
  }
  std::ranges::sort(all, {}, &Kept::last_use);
  const auto now = fs::file_time_type::clock::now();
  for (const Kept& kept : all) {
    if (bytes <= options_.bytes_max) return;
    // An attempt that has just got it may not have said so yet.
    const bool is_fresh = now - kept.last_use < std::chrono::minutes(10);
    const std::string digest = fs::path(kept.folder).filename();
    if (kept.folder == but || is_fresh || used.find(digest) != std::string::npos) continue;
    spdlog::info("python environment is removed folder={}", kept.folder);
    fs::remove(kept.folder + "/" + kWhole, error);
    fs::remove_all(kept.folder, error);
    bytes -= kept.bytes;
  }
}

}  // namespace potok::agent
