// Where the files of one attempt lie. Pure.
#pragma once

#include <string>

#include "agent/domain/order.h"

namespace potok::agent {

// STATE/attempts/RUN.INDEX.ATTEMPT/ holds
//   order    the serialised order; written before anything else
//   work/    the working directory: a private copy of the code, with outputs/ and logs/
//   inputs/  outputs/  tmp/
//   script   what bash runs, unless the command needs no shell
//   runtime  what runs it, unless that is the host
//   variables  those of a container's command
//   log, state: the shim's; the state is empty or zeros until it starts
//   report   the terminal report, until it is acknowledged; only if the state cannot tell it or the
//            server is away
struct AttemptPaths {
  explicit AttemptPaths(std::string attempt_folder) : folder(std::move(attempt_folder)) {}

  std::string folder;  // absolute
  std::string order() const { return folder + "/order"; }
  std::string work() const { return folder + "/work"; }
  std::string inputs() const { return folder + "/inputs"; }
  std::string outputs() const { return folder + "/outputs"; }
  std::string temporary() const { return folder + "/tmp"; }
  std::string script() const { return folder + "/script"; }
  std::string runtime() const { return folder + "/runtime"; }
  std::string variables() const { return folder + "/variables"; }
  std::string log() const { return folder + "/log"; }
  std::string state() const { return folder + "/state"; }
  std::string report() const { return folder + "/report"; }

  // The file or folder that an input artifact is laid at: inputs/NAME for a folder,
  // inputs/NAME/FILE for a file, so that the path ends in the file's own name.
  std::string Input(const AttemptInput& input) const;

  // Where the command writes an output: a folder outputs/NAME, a file outputs/NAME/NAME, for a
  // primitive the file outputs/NAME whose content becomes the text. An output `artifacts` without a
  // path is the working directory, of which outputs/ and logs/ are kept.
  std::string OutputPath(const Output& output) const;
};

// An output that is the artifact root itself (Azure ML's convention).
bool IsArtifactRoot(const Output& output);

}  // namespace potok::agent
