#include "client/cli/commands/asset_commands.h"

namespace potok::client {

void AddModelCommands(CLI::App& model, Session& session) {
  const auto options = std::make_shared<AssetCreateOptions>();
  options->source.kind = AssetKind::kModel;
  options->fields = {{"type", ""}, {"stage", ""}};
  options->paths = {{"path", ""}};
  CommandOptions create = AddAssetCreate(
      model,
      session,
      options,
      "potok model create -n iris -t mlflow_model -p azureml://jobs/brave_river_1/outputs/model",
      /*file_is_required=*/false);
  create.Choice("-t,--type",
                {"custom_model", "mlflow_model", "triton_model"},
                "What it is (custom_model)",
                &options->fields[0].second);
  create.Text("-s,--stage", "STAGE", "As Development or Production", &options->fields[1].second);
  create.Text("-p,--path",
              "PATH",
              "Local file or folder, runs:/RUN/PATH, or an azureml:// address",
              &options->paths[0].second);
  create.IgnoredText("--datastore", "NAME");
  AddAssetCommands(model, session, AssetKind::kModel);
}

}  // namespace potok::client
