#include "client/cli/commands/command.h"
#include "client/cli/server_assets.h"
#include "client/cli/text/printable.h"
#include "client/frontend/azureml/load.h"

namespace potok::client {
namespace {

struct ValidateOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> set;
};

Value DiagnosticObject(const Diagnostic& diagnostic) {
  return Value(Object{{"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
                      {"file", diagnostic.at.file},
                      {"line", diagnostic.at.line},
                      {"column", diagnostic.at.column},
                      {"message", diagnostic.message}});
}

int RunValidate(Session& session, const ValidateOptions& options) {
  ServerAssets assets([&] { return Connect(session.context, options.common, absl::Seconds(1)); },
                      ServerAssets::WithoutServer::kKeepsNames);
  LoadOptions load;
  load.set = options.set;
  load.assets = &assets;
  load.values_may_follow = true;
  const Loaded loaded = LoadJob(options.file, load);
  Array diagnostics;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    diagnostics.push_back(DiagnosticObject(diagnostic));
  }
  const Value verdict(Object{{"result", loaded.HasErrors() ? "Failed" : "Succeeded"},
                             {"diagnostics", std::move(diagnostics)}});
  const int printed =
      PrintObject(session.context, options.common, DefaultOutput::kForPeople, verdict, [&] {
        std::string text;
        for (const Diagnostic& diagnostic : loaded.diagnostics) {
          text += Printable(ToString(diagnostic)) + "\n";
        }
        return text + options.file + (loaded.HasErrors() ? " is not valid\n" : " is valid\n");
      });
  if (printed != kExitOk) return printed;
  return loaded.HasErrors() ? kExitUsage : kExitOk;
}

}  // namespace

void AddJobValidate(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ValidateOptions>();
  CommandOptions validate =
      AddCommand(job,
                 session,
                 "validate",
                 "Check a pipeline without submitting it; needs no server but for "
                 "what is registered",
                 "potok job validate -f pipeline.yml",
                 options,
                 RunValidate);
  validate.RequiredText("-f,--file", "FILE", "Pipeline or job as YAML", &options->file);
  validate.ManyTexts("--set", "PATH=VALUE", "Changes of the file, as inputs.lr=0.1", &options->set);
  AddServerOptions(validate, &options->common);
  AddOutputOptions(validate, session, &options->common);
}

}  // namespace potok::client
