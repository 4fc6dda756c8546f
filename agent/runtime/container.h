// Containers of podman or docker: command lines, and what they answer. Pure but for WordsOfEnd.
// See docs/decisions/0044-containers-and-environments.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/runtime/runtime.h"

namespace potok::agent {

struct ContainerEngine {
  enum class Kind { kPodman, kDocker };
  Kind kind = Kind::kPodman;
  std::string program;  // absolute
  std::string network;  // of containers that have one: "host", "bridge", the name of a network
  bool has_init = false;
  std::string owner;  // of all containers of this agent: its state's id
  std::string user;   // UID:GID that own what the step writes
  std::map<std::string, std::string> environment;  // of the engine's own process
};

// INVALID_ARGUMENT unless it is a name of an image: [REGISTRY/]NAME[:TAG][@sha256:HEX] of plain
// characters, which no program takes for an option.
absl::Status CheckImageName(const std::string& image);

// What runs the launch's command in the image of that id. Mounts are at the same paths. With podman
// the processes stay below the caller and in its cgroup, so that its limits and its kill hold for
// them; with docker the daemon gets the limits.
// `variables_file` is where the caller writes VariablesText before.
absl::StatusOr<RuntimeCommand> InContainer(const ContainerEngine& engine,
                                           const std::string& image_id,
                                           const std::string& variables_file,
                                           const RuntimeLaunch& launch);

// One "NAME=VALUE" a line: in a file the values are seen by nobody else. What cannot be in a line
// is given on the command line by InContainer.
std::string VariablesText(const std::map<std::string, std::string>& environment);

// What runs a command beside that of the attempt's container, which lives.
RuntimeCommand BesideContainer(const ContainerEngine& engine,
                               const std::string& directory,
                               const SideWish& wish);

std::string ContainerName(const ContainerEngine& engine, const std::string& attempt);

std::vector<std::string> InspectArguments(const ContainerEngine& engine, const std::string& image);
std::vector<std::string> PullArguments(const ContainerEngine& engine, const std::string& image);
// Ends and removes it; no error if it is not there.
std::vector<std::string> RemoveArguments(const ContainerEngine& engine, const std::string& attempt);
// Names of this agent's containers, one a line.
std::vector<std::string> ListArguments(const ContainerEngine& engine);

struct ImageFacts {
  std::string id;
  std::string shown;  // "python:3.11@sha256:..." by the registry's digest, or by the image's id
};
// Of what inspecting answers. INTERNAL if that is not understood.
absl::StatusOr<ImageFacts> ParseInspection(const std::string& image, const std::string& answer);

// What to do about an engine's error, where that is known; else empty.
std::string AdviceOn(const std::string& words);

// The engine's own last words of a log whose end is `log_end`, where it could not run the command
// and ended with `code` (125 to 127); empty if it was the command that ended so.
std::string WordsOfEnd(int code, const std::string& log_end);

}  // namespace potok::agent
