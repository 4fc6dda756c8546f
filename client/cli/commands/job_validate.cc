#include "client/cli/commands/command.h"
#include "client/cli/submit.h"

namespace potok::client {
namespace {

struct ValidateOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> set;
};

int RunValidate(Session& session, const ValidateOptions& options) {
  return PrintVerdict(session.context, options.common, options.file, options.set);
}

}  // namespace

void AddJobValidate(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ValidateOptions>();
  CLI::App* validate = AddCommand(job,
                                  session,
                                  "validate",
                                  "Check a pipeline without submitting it; needs no server",
                                  "potok job validate -f pipeline.yml",
                                  options,
                                  RunValidate);
  validate->add_option("-f,--file", options->file, "Pipeline or job as YAML")
      ->required()
      ->type_name("FILE");
  validate->add_option("--set", options->set, "Changes of the file, as inputs.lr=0.1")
      ->expected(1, -1)
      ->take_all()
      ->type_name("PATH=VALUE ...");
  AddServerOptions(validate, &options->common);
  AddOutputOptions(validate, &options->common);
}

}  // namespace potok::client
