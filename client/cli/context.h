// What a command needs of the world. main() makes it; tests make their own. Nothing below reads the
// environment or standard streams by itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/stack/home.h"

namespace potok::client {

// Exit codes of `potok`.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;    // the run failed or was canceled, or the command did
inline constexpr int kExitUsage = 2;     // wrong command line or invalid pipeline
inline constexpr int kExitNoServer = 3;  // no server answers
inline constexpr int kExitInterrupted = 130;

struct Context {
  std::map<std::string, std::string> environment;
  std::string program;         // absolute path of this program
  std::string working_folder;  // absolute
  std::string user;            // for display as the submitter
  std::string host;
  bool is_root = false;
  std::ostream* out = nullptr;  // results
  std::ostream* err = nullptr;  // progress and errors
  int input = -1;               // descriptor of what is typed or piped; -1: none
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::string color = "auto";  // as --color says: auto, always, never
  bool only_errors = false;    // no warnings and no progress, as --only-show-errors says
  // Columns and rows of the terminal, asked anew each time because it can be resized.
  std::function<std::pair<std::size_t, std::size_t>()> terminal_size;
  // Keys come one by one and are not shown while what this returns is alive; null if the input is
  // no terminal. May be null itself.
  std::function<std::shared_ptr<void>()> raw_keys;
  // All keys, also those that are signals else, are the program's while what this returns is alive.
  // May be null.
  std::function<std::shared_ptr<void>()> raw_terminal;
  // The next key, or nothing if none comes in time or the input is no terminal. May be null.
  std::function<std::optional<char>(absl::Duration)> read_key;
  absl::TimeZone zone;
  std::stop_token interrupted;  // Ctrl-C

  // "" if it is not set.
  std::string Variable(const std::string& name) const;
  // True if cursor movements may be written to `out`: a terminal that can.
  bool HasCursor() const;
  // True if colours may be: as --color says; else not if NO_COLOR is set (https://no-color.org),
  // always if CLICOLOR_FORCE is (https://bixense.com/clicolors), and else on a terminal that can.
  bool HasColor() const;
  // The columns of the terminal that `out` is; 0: it is none, and nothing has to be cut.
  std::size_t ColumnsOfOut() const;
  // The home of this user's embedded stack.
  Home HomeOfUser() const;
};

// The arguments of a command line, and all that it prints.
struct Session {
  Context context;
  // The words after "--", which belong to the user's own command.
  std::vector<std::string> own_command;
  bool has_own_command = false;
  // Set by the parser: the chosen command, ready to run.
  std::function<int()> chosen;
};

// Prints "potok: ..." and tells the exit code of this error.
int Complain(const Context& context, const absl::Status& status);

}  // namespace potok::client
