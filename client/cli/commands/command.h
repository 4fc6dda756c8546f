// How a command declares itself and its options. Thin over CLI11, whose headers cost every file
// that reads them many seconds: only command.cc and command_line.cc do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/commands/commands.h"
#include "client/cli/context.h"
#include "client/cli/options.h"
#include "client/cli/profiles.h"

namespace CLI {
class App;
}

namespace potok::client {

// The options of one command. What they are read into must outlive the parser; `names` are as
// "-n,--name", or without dashes for a positional argument; `type` is what the help calls the
// value.
class CommandOptions {
 public:
  using Checks = std::vector<std::function<absl::Status()>>;
  CommandOptions(CLI::App* command, std::shared_ptr<Checks> checks)
      : command_(command), checks_(std::move(checks)) {}

  void Text(const char* names, const char* type, const char* help, std::string* value);
  void RequiredText(const char* names, const char* type, const char* help, std::string* value);
  // One of `choices`.
  void Choice(const char* names,
              const std::vector<std::string>& choices,
              const char* help,
              std::string* value);
  void RequiredChoice(const char* names,
                      const std::vector<std::string>& choices,
                      const char* help,
                      std::string* value);
  // May be repeated; each time one value.
  void Texts(const char* names,
             const char* type,
             const char* help,
             std::vector<std::string>* values);
  // May be repeated; each time all words up to the next option.
  void ManyTexts(const char* names,
                 const char* type,
                 const char* help,
                 std::vector<std::string>* values);
  // At least `min`.
  void Number(const char* names, const char* type, const char* help, int min, int* value);
  // Any number, also a negative one.
  void Offset(const char* names, const char* type, const char* help, std::int64_t* value);
  void Seconds(const char* names, const char* help, double* value);
  void Flag(const char* names, const char* help, bool* value);
  // Accepted as Azure's command line has it, and without effect.
  void IgnoredText(const char* names, const char* type);
  void IgnoredFlag(const char* names);

  void Exclude(const char* one, const char* other);
  // What is declared from here on stands under this heading.
  void Group(const char* heading) { group_ = heading; }
  // Run before the command, once all is parsed: for what is wrong in itself, so that nothing is
  // done.
  void Check(std::function<absl::Status()> check);
  // Leaves the command out of the help.
  void Hide();

 private:
  CLI::App* command_;
  std::shared_ptr<Checks> checks_;
  std::string group_ = "Options";
};

// A command with an example for its help; what the user chooses becomes session.chosen.
CommandOptions AddCommandTo(CLI::App& parent,
                            Session& session,
                            const std::string& name,
                            const std::string& what,
                            const std::string& example,
                            std::function<int()> run);

// The same, whose `run` gets the options as parsed.
template <class Options>
CommandOptions AddCommand(CLI::App& parent,
                          Session& session,
                          const std::string& name,
                          const std::string& what,
                          const std::string& example,
                          const std::shared_ptr<Options>& options,
                          int (*run)(Session&, const Options&)) {
  return AddCommandTo(parent, session, name, what, example, [&session, options, run] {
    return run(session, *options);
  });
}

// What every command below takes and says last in its help. Called once all of them are there.
void AddGlobalOptions(CLI::App& app, Session& session);

// --server, and -g and -w, which Azure's command line needs and this one ignores.
void AddServerOptions(CommandOptions& command, CommonOptions* options);
// -o and --query. What -o is when it is not given comes from the profile.
void AddOutputOptions(CommandOptions& command, Session& session, CommonOptions* options);

}  // namespace potok::client
