#include "client/cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "client/cli/commands/command.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/machine_commands.h"
#include "client/cli/text/nearest.h"
#include "client/cli/version.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

void AddJobCommands(CLI::App& app, Session& session) {
  CLI::App* job = app.add_subcommand("job", "Runs: submit, look at, follow, compare, run again");
  job->footer("Example:\n  potok job create -f pipeline.yml --stream");
  job->require_subcommand(1);
  AddJobCreate(*job, session);
  AddJobValidate(*job, session);
  AddJobPlan(*job, session);
  AddJobShow(*job, session);
  AddJobList(*job, session);
  AddJobStream(*job, session);
  AddJobLogs(*job, session);
  AddJobExec(*job, session);
  AddJobDownload(*job, session);
  AddJobCancel(*job, session);
  AddJobHold(*job, session);
  AddJobRelease(*job, session);
  AddJobMove(*job, session);
  AddJobWait(*job, session);
  AddJobTop(*job, session);
  AddJobMetrics(*job, session);
  AddJobExplain(*job, session);
  AddJobClone(*job, session);
  AddJobRerun(*job, session);
  AddJobDiff(*job, session);
  AddJobLineage(*job, session);
  AddJobUpdate(*job, session);
  AddJobArchive(*job, session);
  AddJobRestore(*job, session);
}

// What is registered: a group for each kind.
void AddRegistryGroups(CLI::App& app, Session& session) {
  const struct {
    const char* name;
    const char* what;
    const char* example;
    void (*add)(CLI::App&, Session&);
  } groups[] = {
      {"component",
       "Registered components: steps that pipelines name",
       "potok component create -f train.yml",
       AddComponentCommands},
      {"environment",
       "Registered environments: image, packages, build",
       "potok environment create -f env.yml",
       AddEnvironmentCommands},
      {"data",
       "Registered data: versions of files and folders",
       "potok data create -n titanic -t uri_file -p ./titanic.csv",
       AddDataCommands},
      {"model", "Registered models", "potok model list", AddModelCommands},
      {"datastore",
       "Named folders of the server, for inputs and outputs",
       "potok datastore upload -n workspaceblobstore -p ./data",
       AddDatastoreCommands},
  };
  for (const auto& group : groups) {
    CLI::App* commands = app.add_subcommand(group.name, group.what);
    commands->footer(std::string("Example:\n  ") + group.example);
    commands->require_subcommand(1);
    group.add(*commands, session);
  }
}

void AddMachineCommands(CLI::App& app, Session& session) {
  CLI::App* machine = app.add_subcommand("machine", "Machines that run steps");
  machine->footer(
      "To take a machine out of service: drain it, wait until it is empty, and let it back with\n"
      "uncordon. What is said of a machine holds until it is taken back, over restarts of its "
      "agent\n"
      "and of the server.\n\n"
      "Example:\n  potok machine drain gpu-1 --deadline 30m --reason 'new disk' --wait");
  machine->require_subcommand(1);
  AddMachineList(*machine, session);
  AddMachineShow(*machine, session);
  AddMachineCordon(*machine, session);
  AddMachineUncordon(*machine, session);
  AddMachineDrain(*machine, session);
  AddMachineLabel(*machine, session);
  AddMachineDeclareDead(*machine, session);
}

void AddComputeGroup(CLI::App& app, Session& session) {
  CLI::App* compute =
      app.add_subcommand("compute", "Pools: machines that steps name by `compute:`");
  compute->footer(
      "A pool holds the machines that carry the labels of its selector, and those whose agents\n"
      "declare it (potok-agent --pool). Its limits hold for all its steps together: what is "
      "beyond\n"
      "them waits. cpu-cluster, gpu-cluster and serverless are there without being created.\n\n"
      "Example:\n  potok compute create -f pool.yml");
  compute->require_subcommand(1);
  AddComputeCommands(*compute, session);
}

void AddTeamGroup(CLI::App& app, Session& session) {
  CLI::App* team = app.add_subcommand("team", "Teams: whose share of the machines is how large");
  team->footer("Example:\n  potok team create -n vision --weight 3 --user ann");
  team->require_subcommand(1);
  AddTeamCommands(*team, session);
}

void AddProfileGroup(CLI::App& app, Session& session) {
  CLI::App* profile = app.add_subcommand("profile", "Names for servers, and which one to use");
  profile->footer(
      "A command goes to the server of --server, else of --profile, POTOK_SERVER, POTOK_PROFILE,\n"
      "the profile in use, and at last to the one that `potok up` starts on this machine.\n\n"
      "Example:\n  potok profile add team --server gpu-1:7461 --use");
  profile->require_subcommand(1);
  AddProfileCommands(*profile, session);
}

void AddAll(CLI::App& app, Session& session) {
  app.set_version_flag("--version", std::string("potok ") + kVersion);
  app.footer(
      "Example:\n  potok run pipeline.yml\n\n"
      "Every command explains itself: potok job create --help");
  app.require_subcommand(1);
  AddRun(app, session);
  AddJobCommands(app, session);
  AddRegistryGroups(app, session);
  AddMachineCommands(app, session);
  AddTeamGroup(app, session);
  AddComputeGroup(app, session);
  AddUp(app, session);
  AddDown(app, session);
  AddStatus(app, session);
  AddWeb(app, session);
  AddGc(app, session);
  AddProfileGroup(app, session);
  AddCompletion(app, session);
  AddMan(app, session);
  AddSupervise(app, session);
  AddGlobalOptions(app, session);
}

// The command that `words` lead to, and the first word that names none; empty if all do.
std::string FirstUnknownCommand(const std::vector<std::string>& words, CLI::App** app) {
  for (const std::string& word : words) {
    const std::vector<CLI::App*> commands = (*app)->get_subcommands([](CLI::App*) { return true; });
    // What follows a command without subcommands is its own; an option before a command is read by
    // the parser.
    if (commands.empty() || word.empty() || word[0] == '-') return "";
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* command) {
      return command->check_name(word);
    });
    if (found == commands.end()) return word;
    *app = *found;
  }
  return "";
}

// "potok job create"
std::string FullName(const CLI::App* app) {
  const std::string& name = app->get_name();
  return app->get_parent() == nullptr ? name : FullName(app->get_parent()) + " " + name;
}

int ComplainOfUnknown(const Context& context, const std::string& word, const CLI::App* app) {
  std::vector<std::string> known;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) known.push_back(command->get_name());
  }
  const std::string nearest = Nearest(word, known);
  std::string text = fmt::format("`{}` has no command \"{}\"", FullName(app), word);
  if (!nearest.empty()) {
    text += fmt::format("; did you mean `{} {}`?", FullName(app), nearest);
  } else {
    text += fmt::format("; see `{} --help`", FullName(app));
  }
  return Complain(context, absl::InvalidArgumentError(text));
}

// The deepest command that was named: whose help is meant.
const CLI::App* Named(const CLI::App* app) {
  const std::vector<CLI::App*> chosen = const_cast<CLI::App*>(app)->get_subcommands();
  return chosen.empty() ? app : Named(chosen.front());
}

int Parse(const std::vector<std::string>& words, CLI::App& app, const Context& context) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* named = Named(&app);
    const CLI::App* parent = named->get_parent();
    *context.out << named->help(parent == nullptr ? "" : FullName(parent)) << std::flush;
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    *context.out << version.what() << std::endl;
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return Complain(context,
                    absl::InvalidArgumentError(
                        fmt::format("{}\nSee `{} --help`", error.what(), FullName(Named(&app)))));
  }
  return -1;
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& words, const Context& context) {
  Session session;
  session.context = context;
  // What follows "--" is the user's own command and none of the parser's business.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  session.has_own_command = dashes != words.end();
  if (session.has_own_command) session.own_command.assign(dashes + 1, words.end());
  const std::vector<std::string> own_words(words.begin(), dashes);

  CLI::App app("Potok runs machine-learning pipelines on your own machines.", "potok");
  AddAll(app, session);
  if (own_words.empty() && !session.has_own_command) {
    *context.err << app.help() << std::flush;
    return kExitUsage;
  }
  CLI::App* command = &app;
  if (const std::string unknown = FirstUnknownCommand(own_words, &command); !unknown.empty()) {
    return ComplainOfUnknown(context, unknown, command);
  }
  const std::string& chosen = command->get_name();
  const bool takes_command = chosen == "run" || chosen == "exec" || chosen == "complete";
  if (session.has_own_command && !takes_command) {
    return Complain(context,
                    absl::InvalidArgumentError("\"--\" belongs to `potok run -- COMMAND` and "
                                               "`potok job exec -n NAME STEP -- COMMAND`"));
  }
  const int parsed = Parse(own_words, app, context);
  if (parsed >= 0) return parsed;
  return session.chosen();
}

}  // namespace potok::client
