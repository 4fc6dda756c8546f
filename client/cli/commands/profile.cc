#include "client/cli/commands/command.h"
#include "client/cli/profiles.h"
#include "client/cli/show/table_style.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct ProfileAddOptions {
  Profile profile;
  bool replace = false;
  bool use = false;
};

struct ProfileNameOptions {
  CommonOptions common;
  std::string name;
};

absl::Status NoSuchProfile(const Configuration& configuration, const std::string& name) {
  return absl::NotFoundError(
      fmt::format("there is no profile {} in {}; `potok profile list` shows those there are",
                  name,
                  configuration.file));
}

Value ProfileObject(const Configuration& configuration, const Profile& profile) {
  return Value(Object{{"name", profile.name},
                      {"server", profile.server},
                      {"output", profile.output.empty() ? Value() : Value(profile.output)},
                      {"web", profile.web.empty() ? Value() : Value(profile.web)},
                      {"used", profile.name == configuration.used}});
}

std::string ProfileTable(const Configuration& configuration,
                         const std::vector<Profile>& profiles,
                         const Context& context) {
  if (profiles.empty()) return "No profiles yet: potok profile add NAME --server HOST:PORT\n";
  std::vector<std::vector<std::string>> rows;
  rows.reserve(profiles.size());
  for (const Profile& profile : profiles) {
    rows.push_back({profile.name == configuration.used ? "*" : "",
                    profile.name,
                    profile.server,
                    profile.output,
                    profile.web});
  }
  return Table({"", "PROFILE", "SERVER", "OUTPUT", "WEB"}, rows, StyleOf(context));
}

int Done(const Context& context, const absl::Status& status, const std::string& said) {
  if (!status.ok()) return Complain(context, status);
  if (!context.only_errors) *context.err << said << std::endl;
  return kExitOk;
}

absl::Status Add(const Context& context, const ProfileAddOptions& options) {
  if (const absl::Status checked = CheckProfile(options.profile); !checked.ok()) {
    return absl::InvalidArgumentError("profile add: " + std::string(checked.message()));
  }
  POTOK_ASSIGN_OR_RETURN(Configuration configuration, LoadConfiguration(context));
  const Profile* known = configuration.Find(options.profile.name);
  if (known != nullptr && !options.replace) {
    return absl::AlreadyExistsError(
        fmt::format("there is a profile {} already, of {}; write --replace to change it",
                    known->name,
                    known->server));
  }
  std::erase_if(configuration.profiles,
                [&](const Profile& one) { return one.name == options.profile.name; });
  configuration.profiles.push_back(options.profile);
  if (options.use) configuration.used = options.profile.name;
  return SaveConfiguration(configuration);
}

int RunProfileAdd(Session& session, const ProfileAddOptions& options) {
  return Done(session.context,
              Add(session.context, options),
              fmt::format("Profile {} is {}{}",
                          options.profile.name,
                          options.profile.server,
                          options.use ? ", and in use" : ""));
}

absl::Status Use(const Context& context, const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(Configuration configuration, LoadConfiguration(context));
  if (!name.empty() && configuration.Find(name) == nullptr) {
    return NoSuchProfile(configuration, name);
  }
  configuration.used = name;
  return SaveConfiguration(configuration);
}

int RunProfileUse(Session& session, const ProfileNameOptions& options) {
  return Done(
      session.context,
      Use(session.context, options.name),
      options.name.empty() ? "No profile is in use" : "Profile " + options.name + " is in use");
}

absl::Status Remove(const Context& context, const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(Configuration configuration, LoadConfiguration(context));
  if (configuration.Find(name) == nullptr) return NoSuchProfile(configuration, name);
  std::erase_if(configuration.profiles, [&](const Profile& one) { return one.name == name; });
  if (configuration.used == name) configuration.used.clear();
  return SaveConfiguration(configuration);
}

int RunProfileRemove(Session& session, const ProfileNameOptions& options) {
  return Done(session.context,
              Remove(session.context, options.name),
              "Profile " + options.name + " is removed");
}

int RunProfileList(Session& session, const CommonOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(context);
  if (!configuration.ok()) return Complain(context, configuration.status());
  Array items;
  for (const Profile& one : configuration->profiles) {
    items.push_back(ProfileObject(*configuration, one));
  }
  return PrintObject(context, options, DefaultOutput::kForPeople, Value(std::move(items)), [&] {
    return ProfileTable(*configuration, configuration->profiles, context);
  });
}

int RunProfileShow(Session& session, const ProfileNameOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Configuration> configuration = LoadConfiguration(context);
  if (!configuration.ok()) return Complain(context, configuration.status());
  const absl::StatusOr<std::optional<Profile>> chosen = ChosenProfile(context, options.name);
  if (!chosen.ok()) return Complain(context, chosen.status());
  if (!chosen->has_value()) {
    *context.err
        << "No profile is in use: commands go to POTOK_SERVER or the server of this machine"
        << std::endl;
    return kExitOk;
  }
  return PrintObject(context,
                     options.common,
                     DefaultOutput::kForPeople,
                     ProfileObject(*configuration, **chosen),
                     [&] { return ProfileTable(*configuration, {**chosen}, context); });
}

void AddProfileAdd(CLI::App& profile, Session& session) {
  const auto options = std::make_shared<ProfileAddOptions>();
  CommandOptions add = AddCommand(profile,
                                  session,
                                  "add",
                                  "Give a server a name",
                                  "potok profile add team --server gpu-1:7461 --use",
                                  options,
                                  RunProfileAdd);
  add.RequiredText("name", "NAME", "Name of the new profile", &options->profile.name);
  add.RequiredText(
      "--server", "ADDRESS", "Server: unix:PATH or HOST:PORT", &options->profile.server);
  add.Choice("-o,--output",
             {"table", "json", "yaml", "tsv", "none"},
             "What -o is when it is not given",
             &options->profile.output);
  add.Text("--web", "URL", "Web page of this Potok, for links to runs", &options->profile.web);
  add.Flag("--replace", "Change the profile of this name", &options->replace);
  add.Flag("--use", "And use it from now on", &options->use);
}

void AddProfileNamed(CLI::App& profile, Session& session) {
  const auto used = std::make_shared<ProfileNameOptions>();
  CommandOptions use = AddCommand(profile,
                                  session,
                                  "use",
                                  "Use a profile from now on; without a name, none",
                                  "potok profile use team",
                                  used,
                                  RunProfileUse);
  use.Text("name", "PROFILE", "Name of the profile", &used->name);
  const auto shown = std::make_shared<ProfileNameOptions>();
  CommandOptions show = AddCommand(profile,
                                   session,
                                   "show",
                                   "One profile; without a name, the one that commands go to",
                                   "potok profile show team --query server -o tsv",
                                   shown,
                                   RunProfileShow);
  show.Text("name", "PROFILE", "Name of the profile", &shown->name);
  AddOutputOptions(show, session, &shown->common);
  const auto removed = std::make_shared<ProfileNameOptions>();
  CommandOptions remove = AddCommand(profile,
                                     session,
                                     "remove",
                                     "Forget a profile",
                                     "potok profile remove team",
                                     removed,
                                     RunProfileRemove);
  remove.RequiredText("name", "PROFILE", "Name of the profile", &removed->name);
}

}  // namespace

void AddProfileCommands(CLI::App& profile, Session& session) {
  AddProfileAdd(profile, session);
  const auto options = std::make_shared<CommonOptions>();
  CommandOptions list = AddCommand(profile,
                                   session,
                                   "list",
                                   "Profiles; the one in use has a *",
                                   "potok profile list",
                                   options,
                                   RunProfileList);
  AddOutputOptions(list, session, options.get());
  AddProfileNamed(profile, session);
}

}  // namespace potok::client
