#include "client/cli/commands/command.h"
#include "client/cli/commands/tree.h"
#include "client/cli/help/complete.h"
#include "client/cli/help/shell_scripts.h"
#include "client/potok_client/machines_client.h"
#include "client/potok_client/runs_client.h"
#include "client/potok_client/teams_client.h"

namespace potok::client {
namespace {

using Names = Completion::Names;

// A person waits for it, in the middle of a line.
constexpr absl::Duration kConnectPatience = absl::Milliseconds(300);
constexpr absl::Duration kAnswerPatience = absl::Seconds(1);
constexpr std::size_t kRunsMax = 100;

struct CompletionOptions {
  std::string shell;
};

int RunCompletion(Session& session, const CompletionOptions& options) {
  *session.context.out << CompletionScript(options.shell) << std::flush;
  return kExitOk;
}

std::vector<std::string> NamesFromServer(const Connection& connection, const Completion& wanted) {
  std::vector<std::string> names;
  RunsClient runs(connection.channel());
  if (wanted.names == Names::kRuns) {
    v1::ListRunsRequest filter;
    filter.set_name_prefix(wanted.prefix);
    const auto listed = runs.List(filter, kRunsMax, kAnswerPatience);
    if (!listed.ok()) return {};
    for (const v1::Run& run : *listed) names.push_back(run.name());
  } else if (wanted.names == Names::kMachines) {
    const auto machines = MachinesClient(connection.channel()).List(kAnswerPatience);
    if (!machines.ok()) return {};
    for (const v1::Machine& machine : *machines) names.push_back(machine.name());
  } else if (wanted.names == Names::kTeams) {
    const auto teams = TeamsClient(connection.channel()).List(kAnswerPatience);
    if (!teams.ok()) return {};
    for (const v1::Team& team : *teams) names.push_back(team.name());
  } else {
    const auto run = runs.Get(wanted.run, /*without_spec=*/true, kAnswerPatience);
    if (!run.ok()) return {};
    for (const v1::StepStatus& step : run->steps()) names.push_back(step.name());
  }
  return names;
}

std::vector<std::string> NamesOf(const Context& context, const Completion& wanted) {
  if (wanted.names == Names::kFiles) return {":files"};
  if (wanted.names == Names::kFolders) return {":folders"};
  if (wanted.names == Names::kNone) return {};
  if (wanted.names == Names::kProfiles) return ProfileNames(context);
  const absl::StatusOr<Connection> connection = Connect(context, CommonOptions(), kConnectPatience);
  return connection.ok() ? NamesFromServer(*connection, wanted) : std::vector<std::string>();
}

// Nothing that a shell would take for more than a word: it puts the name into a line that is run.
bool IsOneWord(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string("_-./:@%+=,[]").find(c) != std::string::npos;
  });
}

int RunComplete(Session& session, const CLI::App& app) {
  const Context& context = session.context;
  const Completion completion = CompleteWords(TreeOf(app), session.own_command);
  for (const auto& [word, what] : completion.words) {
    *context.out << word << "\t" << what << "\n";
  }
  for (const std::string& name : NamesOf(context, completion)) {
    if (name[0] == ':') {
      *context.out << name << "\n";
    } else if (name.rfind(completion.prefix, 0) == 0 && IsOneWord(name)) {
      *context.out << completion.before << name << "\t\n";
    }
  }
  context.out->flush();
  return kExitOk;
}

}  // namespace

void AddCompletion(CLI::App& app, Session& session) {
  const auto options = std::make_shared<CompletionOptions>();
  CommandOptions completion =
      AddCommand(app,
                 session,
                 "completion",
                 "Print a script that completes commands, options and names in a shell",
                 "potok completion fish | source       # in ~/.config/fish/config.fish\n"
                 "  source <(potok completion bash)      # in ~/.bashrc\n"
                 "  source <(potok completion zsh)       # in ~/.zshrc, after compinit",
                 options,
                 RunCompletion);
  completion.RequiredChoice("shell", {"bash", "zsh", "fish"}, "Shell", &options->shell);
  CommandOptions complete = AddCommandTo(app,
                                         session,
                                         "complete",
                                         "What may stand at the end of a line (for those scripts)",
                                         "potok complete -- job sh",
                                         [&] { return RunComplete(session, app); });
  complete.Hide();
}

}  // namespace potok::client
