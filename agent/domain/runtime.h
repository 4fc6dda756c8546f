// What runs an attempt's command: the machine itself, a sandbox, a container, a Python environment.
// Pure. See docs/decisions/0044-containers-and-environments.md.
#pragma once

#include <string>

#include "agent/domain/order.h"
#include "common/pipeline/environment.h"

namespace potok::agent {

// What this machine's flags say.
struct RuntimeSettings {
  bool sandbox_always = false;        // --isolation=sandbox
  bool images_in_containers = false;  // --images=container
  bool python_is_built = false;       // --python_environments=build
};

// Not a container and neither of the others: the machine itself.
struct RuntimeChoice {
  bool container = false;
  bool python = false;   // an environment of its own, made of its packages
  bool sandbox = false;  // also around Python
  EnvironmentDefinition environment;

  // Whether something must be fetched or built first.
  bool NeedsPreparing() const { return container || python; }
};

// An image runs in a container where the order's pool says so, or, where it says nothing, the
// settings; unless the environment's Python is built and neither the step nor the pool asks for the
// container: the Python is what has its packages. What asks for
// isolation, or for no network, and is in no container is in a sandbox.
RuntimeChoice ChooseRuntime(const AttemptOrder& order, const RuntimeSettings& settings);

// What preparing found or made.
struct PreparedRuntime {
  RuntimeChoice choice;
  std::string image_id;       // of a container
  std::string python_folder;  // of a Python environment: bin/python is in it
  std::string shown;          // for Report::runtime; empty: the host
};

// For what needs no preparing.
PreparedRuntime PlainRuntime(RuntimeChoice choice);

}  // namespace potok::agent
