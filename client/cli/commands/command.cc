#include "client/cli/commands/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "client/cli/text/query_tree.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// Without a description: CLI11 would show that behind the type in the help.
CLI::Validator AtLeast(double min) {
  return CLI::Validator(
      [min](std::string& text) -> std::string {
        double number = 0;
        if (!CLI::detail::lexical_cast(text, number)) return text + " is not a number";
        return number >= min ? "" : fmt::format("{} is less than {}", text, min);
      },
      "");
}

CLI::Validator Among(const std::vector<std::string>& choices) {
  return CLI::Validator(
      [choices](std::string& text) -> std::string {
        if (std::find(choices.begin(), choices.end(), text) != choices.end()) return "";
        return fmt::format("{} is none of {}", text, fmt::join(choices, ", "));
      },
      "");
}

}  // namespace

void CommandOptions::Text(const char* names,
                          const char* type,
                          const char* help,
                          std::string* value) {
  command_->add_option(names, *value, help)->type_name(type)->group(group_);
}

void CommandOptions::RequiredText(const char* names,
                                  const char* type,
                                  const char* help,
                                  std::string* value) {
  command_->add_option(names, *value, help)->required()->type_name(type)->group(group_);
}

void CommandOptions::Choice(const char* names,
                            const std::vector<std::string>& choices,
                            const char* help,
                            std::string* value) {
  std::string type;
  for (const std::string& choice : choices) type += (type.empty() ? "" : "|") + choice;
  command_->add_option(names, *value, help)->type_name(type)->check(Among(choices))->group(group_);
}

void CommandOptions::RequiredChoice(const char* names,
                                    const std::vector<std::string>& choices,
                                    const char* help,
                                    std::string* value) {
  Choice(names, choices, help, value);
  command_->get_option(names)->required();
}

void CommandOptions::Texts(const char* names,
                           const char* type,
                           const char* help,
                           std::vector<std::string>* values) {
  command_->add_option(names, *values, std::string(help) + "; may be repeated")
      ->expected(1)
      ->take_all()
      ->type_name(type)
      ->group(group_);
}

void CommandOptions::ManyTexts(const char* names,
                               const char* type,
                               const char* help,
                               std::vector<std::string>* values) {
  command_->add_option(names, *values, help)
      ->expected(1, -1)
      ->take_all()
      ->type_name(type)
      ->group(group_);
}

void CommandOptions::Number(
    const char* names, const char* type, const char* help, int min, int* value) {
  command_->add_option(names, *value, help)->check(AtLeast(min))->type_name(type)->group(group_);
}

void CommandOptions::Offset(const char* names,
                            const char* type,
                            const char* help,
                            std::int64_t* value) {
  command_->add_option(names, *value, help)->type_name(type)->group(group_);
}

void CommandOptions::Seconds(const char* names, const char* help, double* value) {
  command_->add_option(names, *value, help)
      ->check(AtLeast(1e-9))
      ->type_name("SECONDS")
      ->group(group_);
}

void CommandOptions::Flag(const char* names, const char* help, bool* value) {
  command_->add_flag(names, *value, help)->group(group_);
}

void CommandOptions::IgnoredText(const char* names, const char* type) {
  command_
      ->add_option_function<std::string>(
          names, [](const std::string&) {}, "Accepted as Azure's, and ignored")
      ->type_name(type)
      ->group(group_);
}

void CommandOptions::IgnoredFlag(const char* names) {
  command_
      ->add_flag_function(
          names, [](std::int64_t) {}, "Accepted as Azure's, and ignored")
      ->group(group_);
}

void CommandOptions::Exclude(const char* one, const char* other) {
  command_->get_option(one)->excludes(command_->get_option(other));
}

void CommandOptions::Check(std::function<absl::Status()> check) {
  checks_->push_back(std::move(check));
}

void CommandOptions::Hide() {
  command_->group("");
}

CommandOptions AddCommandTo(CLI::App& parent,
                            Session& session,
                            const std::string& name,
                            const std::string& what,
                            const std::string& example,
                            std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->footer("Example:\n  " + example);
  const auto checks = std::make_shared<CommandOptions::Checks>();
  command->callback([&session, checks, run = std::move(run)] {
    session.chosen = [&session, checks, run] {
      for (const auto& check : *checks) {
        if (const absl::Status checked = check(); !checked.ok()) {
          return Complain(session.context, checked);
        }
      }
      return run();
    };
  });
  return CommandOptions(command, checks);
}

void AddGlobalOptions(CLI::App& app, Session& session) {
  const std::vector<CLI::App*> commands = app.get_subcommands([](CLI::App*) { return true; });
  for (CLI::App* command : commands) AddGlobalOptions(*command, session);
  if (!commands.empty() || app.get_group().empty()) return;
  CommandOptions options(&app, nullptr);
  options.Group("Global options");
  options.Choice("--color",
                 {"auto", "always", "never"},
                 "Colours (auto: on a terminal, unless NO_COLOR is set)",
                 &session.context.color);
  options.Flag("--only-show-errors", "No warnings and no progress", &session.context.only_errors);
  options.IgnoredFlag("--verbose,--debug,--no-wait");
}

void AddServerOptions(CommandOptions& command, CommonOptions* options) {
  command.Text("--server", "ADDRESS", "Server: unix:PATH or HOST:PORT", &options->server);
  command.Text(
      "--profile", "PROFILE", "Server of this profile: potok profile list", &options->profile);
  command.IgnoredText("-g,--resource-group", "NAME");
  command.IgnoredText("-w,--workspace-name", "NAME");
}

void AddOutputOptions(CommandOptions& command, Session& session, CommonOptions* options) {
  command.Choice("-o,--output",
                 {"table", "json", "jsonc", "yaml", "yamlc", "tsv", "none"},
                 "Form of the output",
                 &options->output);
  command.Text("--query", "JMESPATH", "Only this of it, as \"[].{Name:name}\"", &options->query);
  command.Check([options, &session]() -> absl::Status {
    if (!options->query.empty()) POTOK_RETURN_IF_ERROR(ParseQuery(options->query).status());
    if (!options->output.empty()) return absl::OkStatus();
    POTOK_ASSIGN_OR_RETURN(const std::optional<Profile> profile,
                           ChosenProfile(session.context, options->profile));
    if (profile.has_value()) options->output = profile->output;
    return absl::OkStatus();
  });
}

}  // namespace potok::client
