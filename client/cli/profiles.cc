#include "client/cli/profiles.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "client/cli/text/value.h"
#include "client/potok_client/connection.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

namespace fs = std::filesystem;

std::string FileOf(const Context& context) {
  const std::string config = context.Variable("XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/potok/config.yml";
  const std::string home = context.Variable("HOME");
  return home.empty() ? "" : home + "/.config/potok/config.yml";
}

class ConfigurationReading {
 public:
  explicit ConfigurationReading(const std::string& file) { read_.file = file; }

  absl::StatusOr<Configuration> Read() {
    try {
      const YAML::Node root = YAML::LoadFile(read_.file);
      if (root.IsNull()) return read_;
      POTOK_RETURN_IF_ERROR(Root(root));
      return read_;
    } catch (const YAML::BadFile&) {
      return absl::InvalidArgumentError(fmt::format("{} cannot be read", read_.file));
    } catch (const YAML::Exception& error) {
      return Wrong(error.mark, error.msg);
    }
  }

 private:
  absl::Status Root(const YAML::Node& root) {
    if (!root.IsMap()) return Wrong(root.Mark(), "write `profiles:` and below it a name");
    for (const auto& entry : root) {
      const std::string key = entry.first.Scalar();
      if (key == "profiles") {
        POTOK_RETURN_IF_ERROR(Profiles(entry.second));
      } else if (key == "server") {
        POTOK_ASSIGN_OR_RETURN(read_.server, Text(key, entry.second));
      } else if (key == "profile") {
        POTOK_ASSIGN_OR_RETURN(read_.used, Text(key, entry.second));
      } else {
        return Unknown(entry.first, "server, profile, profiles");
      }
    }
    return absl::OkStatus();
  }

  absl::Status Profiles(const YAML::Node& profiles) {
    if (profiles.IsNull()) return absl::OkStatus();
    if (!profiles.IsMap())
      return Wrong(profiles.Mark(), "profiles: write a name and below it server");
    for (const auto& entry : profiles) {
      Profile profile;
      profile.name = entry.first.Scalar();
      if (!entry.second.IsMap()) {
        return Wrong(entry.second.Mark(), fmt::format("{}: write `server: ADDRESS`", profile.name));
      }
      POTOK_RETURN_IF_ERROR(Members(entry.second, &profile));
      if (const absl::Status checked = CheckProfile(profile); !checked.ok()) {
        return Wrong(entry.first.Mark(),
                     fmt::format("{}: {}", profile.name, std::string(checked.message())));
      }
      if (read_.Find(profile.name) != nullptr) {
        return Wrong(entry.first.Mark(), fmt::format("there is another {} above", profile.name));
      }
      read_.profiles.push_back(std::move(profile));
    }
    return absl::OkStatus();
  }

  absl::Status Members(const YAML::Node& members, Profile* profile) {
    for (const auto& entry : members) {
      const std::string key = entry.first.Scalar();
      std::string* text = nullptr;
      if (key == "server") text = &profile->server;
      if (key == "output") text = &profile->output;
      if (key == "web") text = &profile->web;
      if (text == nullptr) return Unknown(entry.first, "server, output, web");
      POTOK_ASSIGN_OR_RETURN(*text, Text(key, entry.second));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Text(const std::string& key, const YAML::Node& node) const {
    if (!node.IsScalar()) return Wrong(node.Mark(), fmt::format("{} is one text", key));
    return node.Scalar();
  }

  absl::Status Unknown(const YAML::Node& key, const char* known) const {
    return Wrong(key.Mark(),
                 fmt::format("there is no key {} here; there are {}", key.Scalar(), known));
  }

  absl::Status Wrong(const YAML::Mark& mark, const std::string& what) const {
    return absl::InvalidArgumentError(fmt::format("{}:{}: {}", read_.file, mark.line + 1, what));
  }

  Configuration read_;
};

Value ProfileValue(const Profile& profile) {
  Object members = {{"server", profile.server}};
  if (!profile.output.empty()) members.emplace_back("output", profile.output);
  if (!profile.web.empty()) members.emplace_back("web", profile.web);
  return Value(std::move(members));
}

std::string TextOf(const Configuration& configuration) {
  Object root;
  if (!configuration.server.empty()) root.emplace_back("server", configuration.server);
  if (!configuration.used.empty()) root.emplace_back("profile", configuration.used);
  Object profiles;
  for (const Profile& profile : configuration.profiles) {
    profiles.emplace_back(profile.name, ProfileValue(profile));
  }
  root.emplace_back("profiles", std::move(profiles));
  return "# Servers that `potok` knows: potok profile --help\n" + ToYaml(Value(std::move(root)));
}

}  // namespace

const Profile* Configuration::Find(const std::string& name) const {
  const auto found = std::find_if(profiles.begin(), profiles.end(), [&](const Profile& profile) {
    return profile.name == name;
  });
  return found == profiles.end() ? nullptr : &*found;
}

absl::StatusOr<Configuration> LoadConfiguration(const Context& context) {
  const std::string file = FileOf(context);
  std::error_code error;
  if (file.empty() || !fs::exists(file, error)) {
    Configuration none;
    none.file = file;
    return none;
  }
  return ConfigurationReading(file).Read();
}

absl::Status SaveConfiguration(const Configuration& configuration) {
  if (configuration.file.empty()) {
    return absl::FailedPreconditionError(
        "there is no place for profiles: neither XDG_CONFIG_HOME nor HOME is set");
  }
  std::error_code error;
  fs::create_directories(fs::path(configuration.file).parent_path(), error);
  // A link to a file elsewhere stays one.
  const fs::path target = fs::exists(configuration.file, error)
                              ? fs::canonical(configuration.file, error)
                              : fs::path(configuration.file);
  const fs::path written = target.string() + ".new";
  errno = 0;
  std::ofstream file(written, std::ios::trunc);
  file << TextOf(configuration);
  file.close();
  error = std::error_code(errno, std::generic_category());
  if (file) fs::rename(written, target, error);
  if (!file || error) {
    return absl::PermissionDeniedError(
        fmt::format("cannot write {}: {}; the profiles are as they were, make the place writable",
                    configuration.file,
                    error.message()));
  }
  return absl::OkStatus();
}

absl::Status CheckProfile(const Profile& profile) {
  static const std::vector<std::string> kForms = {"table", "json", "yaml", "tsv", "none"};
  const bool is_name =
      !profile.name.empty() && profile.name[0] != '-' &&
      std::all_of(profile.name.begin(), profile.name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
      });
  if (!is_name) {
    return absl::InvalidArgumentError(
        fmt::format("name \"{}\": write letters, digits, '_', '-' and '.'", profile.name));
  }
  if (!IsServerAddress(profile.server)) {
    return absl::InvalidArgumentError(
        fmt::format("server \"{}\": write unix:PATH or HOST:PORT", profile.server));
  }
  const bool is_form = std::find(kForms.begin(), kForms.end(), profile.output) != kForms.end();
  if (!profile.output.empty() && !is_form) {
    return absl::InvalidArgumentError(
        fmt::format("output \"{}\": there are {}", profile.output, fmt::join(kForms, ", ")));
  }
  const bool is_url = profile.web.rfind("http://", 0) == 0 || profile.web.rfind("https://", 0) == 0;
  if (!profile.web.empty() && !is_url) {
    return absl::InvalidArgumentError(
        fmt::format("web \"{}\": write http://HOST or https://HOST", profile.web));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Profile>> ChosenProfile(const Context& context,
                                                     const std::string& flag) {
  POTOK_ASSIGN_OR_RETURN(const Configuration configuration, LoadConfiguration(context));
  std::string name = flag;
  std::string source = "--profile";
  if (name.empty()) {
    name = context.Variable("POTOK_PROFILE");
    source = "POTOK_PROFILE";
  }
  if (name.empty()) {
    name = configuration.used;
    source = "`profile` in " + configuration.file;
  }
  if (name.empty()) return std::nullopt;
  if (const Profile* found = configuration.Find(name)) return *found;
  std::string known;
  for (const Profile& profile : configuration.profiles) {
    known += (known.empty() ? "" : ", ") + profile.name;
  }
  return absl::InvalidArgumentError(
      fmt::format("there is no profile {} (from {}) in {}; there {}. Add it: potok profile add {} "
                  "--server HOST:PORT",
                  name,
                  source,
                  configuration.file,
                  known.empty() ? "is none" : "are: " + known,
                  name));
}

std::vector<std::string> ProfileNames(const Context& context) {
  std::vector<std::string> names;
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(context);
  if (!configuration.ok()) return names;
  for (const Profile& profile : configuration->profiles) names.push_back(profile.name);
  return names;
}

}  // namespace potok::client
