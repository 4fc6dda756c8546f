#include "agent/runtime/sandbox.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "agent/runtime/run_program.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

namespace fs = std::filesystem;

// Programs, libraries and their settings. Not /home, /root, /var, /run, /mnt and the like: files of
// people and of services, and sockets.
constexpr const char* kSystemFolders[] = {"/usr",
                                          "/bin",
                                          "/sbin",
                                          "/lib",
                                          "/lib32",
                                          "/lib64",
                                          "/libx32",
                                          "/etc",
                                          "/opt",
                                          "/nix/store",
                                          "/var/lib/dpkg/alternatives",
                                          "/var/cache/fontconfig",
                                          "/sys"};
// Those that CUDA opens beside /dev/nvidiaN.
constexpr const char* kCommonGpuDevices[] = {
    "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps"};

void AddEntry(const std::string& path, SandboxView* view) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (error || !fs::exists(status)) return;
  SandboxView::Entry entry{path, ""};
  if (fs::is_symlink(status)) entry.link_target = fs::read_symlink(path, error);
  view->entries.push_back(std::move(entry));
}

// /etc/resolv.conf often leads to a file of a service, in a folder that is not shown.
void AddNameServers(SandboxView* view) {
  std::error_code error;
  const std::string target = fs::canonical("/etc/resolv.conf", error);
  if (!error && !absl::StartsWith(target, "/etc/")) view->readable.push_back(target);
}

// The folder of a Python environment or of conda, where `folder` is its bin; else itself.
std::string PrefixOf(const std::string& folder) {
  std::error_code error;
  const fs::path prefix = fs::path(folder).parent_path();
  const bool whole = fs::exists(prefix / "pyvenv.cfg", error) || fs::exists(prefix / "conda-meta");
  return whole ? prefix.string() : folder;
}

// The number in the name of the device of the GPU that NVML calls `index`: both count by bus, but
// a device may be missing here.
std::string DeviceOf(const SandboxView& view, std::int32_t index) {
  std::vector<std::string> gpus;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(view.drivers, error)) {
    gpus.push_back(entry.path());
  }
  std::ranges::sort(gpus);
  if (index < 0 || static_cast<std::size_t>(index) >= gpus.size()) {
    return fmt::format("nvidia{}", index);
  }
  std::ifstream facts(gpus[static_cast<std::size_t>(index)] + "/information");
  for (std::string line; std::getline(facts, line);) {
    const std::string kKey = "Device Minor:";
    if (!absl::StartsWith(line, kKey)) continue;
    const std::size_t digit = line.find_first_of("0123456789", kKey.size());
    if (digit != std::string::npos) return "nvidia" + line.substr(digit);
  }
  return fmt::format("nvidia{}", index);
}

absl::Status AddGpus(const SandboxView& view,
                     const std::vector<std::int32_t>& gpus,
                     std::vector<std::string>* argv) {
  std::error_code error;
  const auto bind = [&](const std::string& name) {
    const std::string path = view.devices + "/" + name;
    if (!fs::exists(path, error)) return false;
    argv->insert(argv->end(), {"--dev-bind", path, path});
    return true;
  };
  for (const std::int32_t gpu : gpus) {
    const std::string device = DeviceOf(view, gpu);
    if (!bind(device)) {
      return absl::InternalError(fmt::format(
          "GPU {} cannot be shown to a sandbox: there is no {}/{}", gpu, view.devices, device));
    }
  }
  if (gpus.empty()) return absl::OkStatus();
  for (const char* common : kCommonGpuDevices) bind(common);
  return absl::OkStatus();
}

bool IsIn(const std::string& path, const std::string& folder) {
  return path == folder || absl::StartsWith(path, folder + "/");
}

void AddView(const SandboxView& view, std::vector<std::string>* argv) {
  for (const SandboxView::Entry& entry : view.entries) {
    if (entry.link_target.empty()) {
      argv->insert(argv->end(), {"--ro-bind", entry.path, entry.path});
    } else {
      argv->insert(argv->end(), {"--symlink", entry.link_target, entry.path});
    }
  }
  argv->insert(argv->end(), {"--proc", "/proc", "--dev", "/dev"});
  for (const std::string& folder : view.empty_folders) {
    argv->insert(argv->end(), {"--tmpfs", folder});
  }
  for (const std::string& path : view.readable) {
    argv->insert(argv->end(), {"--ro-bind", path, path});
  }
  // Last: it may lie in any of those.
  for (const std::string& folder : view.hidden) argv->insert(argv->end(), {"--tmpfs", folder});
}

// bwrap itself must not be led by what a step says of libraries: it is not in the sandbox yet.
bool LeadsTheLoader(const std::string& variable) {
  return absl::StartsWith(variable, "LD_") || absl::StartsWith(variable, "GLIBC_") ||
         absl::StartsWith(variable, "MALLOC_") || variable == "GCONV_PATH" ||
         variable == "LOCPATH" || variable == "NLSPATH";
}

}  // namespace

absl::StatusOr<SandboxView> LookForSandbox(const std::string& home,
                                           const std::vector<std::string>& readable,
                                           const std::string& state) {
  SandboxView view;
  for (const char* path : {"/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"}) {
    if (view.program.empty() && access(path, X_OK) == 0) view.program = path;
  }
  if (view.program.empty()) {
    return absl::NotFoundError("there is no bwrap; install the package bubblewrap");
  }
  for (const char* folder : kSystemFolders) AddEntry(folder, &view);
  view.empty_folders = {"/tmp", "/var/tmp", "/run"};
  const bool has_own_home =
      home.size() > 1 && home[0] == '/' &&
      std::ranges::none_of(view.entries, [&](const auto& entry) { return IsIn(home, entry.path); });
  if (has_own_home) view.empty_folders.push_back(home);
  AddNameServers(&view);
  view.hidden = {state};
  for (const std::string& folder : readable) {
    const std::string path = PrefixOf(folder);
    const bool is_shown = std::ranges::any_of(view.entries, [&](const auto& entry) {
      return entry.link_target.empty() && IsIn(path, entry.path);
    });
    std::error_code error;
    if (!is_shown && path.size() > 1 && path[0] == '/' && fs::exists(path, error)) {
      view.readable.push_back(path);
    }
  }
  return view;
}

absl::Status TrySandbox(const SandboxView& view) {
  RuntimeLaunch launch;
  launch.argv = {"/bin/true"};
  launch.working_directory = "/";
  POTOK_ASSIGN_OR_RETURN(const RuntimeCommand command, InSandbox(view, launch));
  ProgramRun run;
  run.argv = command.argv;
  run.timeout = absl::Seconds(20);
  POTOK_ASSIGN_OR_RETURN(const ProgramEnd end, RunProgram(run));
  if (end.code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} does not work here: {}", view.program, LastWords(end)));
}

absl::StatusOr<RuntimeCommand> InSandbox(const SandboxView& view, const RuntimeLaunch& launch) {
  RuntimeCommand command;
  std::vector<std::string>& argv = command.argv;
  // Without --die-with-parent and --new-session: the signal that ends the command ends bwrap's own
  // process first, and the command is to have its grace (decision 37).
  argv = {
      view.program, "--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try", "--cap-drop", "ALL"};
  if (!launch.has_network) argv.emplace_back("--unshare-net");
  for (const auto& [name, value] : launch.environment) {
    if (LeadsTheLoader(name)) {
      argv.insert(argv.end(), {"--setenv", name, value});
    } else {
      command.environment.emplace(name, value);
    }
  }
  AddView(view, &argv);
  POTOK_RETURN_IF_ERROR(AddGpus(view, launch.gpus, &argv));
  for (const std::string& path : launch.read_only) {
    argv.insert(argv.end(), {"--ro-bind", path, path});
  }
  for (const std::string& path : launch.writable) {
    argv.insert(argv.end(), {"--bind", path, path});
  }
  argv.insert(argv.end(), {"--chdir", launch.working_directory, "--"});
  argv.insert(argv.end(), launch.argv.begin(), launch.argv.end());
  return command;
}

}  // namespace potok::agent
