// Named servers, in the user's configuration file:
//
//   profile: team            # the one in use
//   profiles:
//     team:
//       server: gpu-1:7461
//       output: json         # what -o is when it is not given
//       web: https://potok.example
//
// The key `server` beside them is the server when no profile is in use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/context.h"

namespace potok::client {

struct Profile {
  std::string name;
  std::string server;
  std::string output;  // or empty
  std::string web;     // the URL of a web page of this Potok, or empty
};

struct Configuration {
  std::string file;
  std::string server;
  std::string used;               // the name of a profile, or empty
  std::vector<Profile> profiles;  // in the order of the file

  const Profile* Find(const std::string& name) const;  // or null
};

// $XDG_CONFIG_HOME/potok/config.yml, else ~/.config/potok/config.yml. Without a file, nothing in
// it. INVALID_ARGUMENT says what is wrong in which line.
absl::StatusOr<Configuration> LoadConfiguration(const Context& context);

// Replaces the file at once; what is not in `configuration` (comments) is gone.
absl::Status SaveConfiguration(const Configuration& configuration);

// INVALID_ARGUMENT if it cannot be one; messages begin with the key.
absl::Status CheckProfile(const Profile& profile);

// The profile to work with: `flag`, POTOK_PROFILE, the one in use; or none. INVALID_ARGUMENT if
// there is no such profile: the message names those there are.
absl::StatusOr<std::optional<Profile>> ChosenProfile(const Context& context,
                                                     const std::string& flag);

// For completion: nothing if the file is wrong.
std::vector<std::string> ProfileNames(const Context& context);

}  // namespace potok::client
