// A sandbox for commands: bubblewrap (bwrap(1)), a view of the machine in which only the system and
// the attempt's own files are there. See docs/decisions/0037-runtimes.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"

namespace potok::agent {

// What of this machine every sandbox sees, and what none does.
struct SandboxView {
  std::string program;  // bwrap, absolute
  // The system's folders, read-only. A link is made again as one.
  struct Entry {
    std::string path;
    std::string link_target;  // of a symbolic link; empty: a folder or file
  };
  std::vector<Entry> entries;
  std::vector<std::string> empty_folders;  // writable and gone with the sandbox: /tmp, home
  std::vector<std::string> readable;       // further folders, which may lie in those
  std::vector<std::string> hidden;         // folders: the agent's state
  std::string devices = "/dev";            // where GPUs' devices are
  std::string drivers = "/proc/driver/nvidia/gpus";
};

// Finds bwrap in the system's folders and what a sandbox here is made of. `home` is that of the
// steps' user; `readable` are further folders; `state` is the agent's. NOT_FOUND without bwrap.
absl::StatusOr<SandboxView> LookForSandbox(const std::string& home,
                                           const std::vector<std::string>& readable,
                                           const std::string& state);

// OK if a command runs in such a sandbox: tries it. Otherwise with bwrap's own words.
absl::Status TrySandbox(const SandboxView& view);

// The launch's command in a sandbox: own processes, devices, /tmp and memory segments; no
// capabilities. Its network is the machine's, or none. INTERNAL if a GPU has no device here.
absl::StatusOr<RuntimeCommand> InSandbox(const SandboxView& view, const RuntimeLaunch& launch);

}  // namespace potok::agent
