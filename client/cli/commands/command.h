// What the files of the commands share.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <memory>
#include <string>

#include "client/cli/commands/commands.h"
#include "client/cli/context.h"
#include "client/cli/options.h"

namespace potok::client {

// Adds a command with an example to its help. `run` gets the options as parsed.
template <class Options>
CLI::App* AddCommand(CLI::App& parent,
                     Session& session,
                     const std::string& name,
                     const std::string& what,
                     const std::string& example,
                     const std::shared_ptr<Options>& options,
                     int (*run)(Session&, const Options&)) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->footer("Example:\n  " + example);
  command->callback([&session, options, run] {
    session.chosen = [&session, options, run] { return run(session, *options); };
  });
  return command;
}

}  // namespace potok::client
