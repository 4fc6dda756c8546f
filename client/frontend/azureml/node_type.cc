#include "client/frontend/azureml/node_type.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace potok::client {

namespace {

const std::map<std::string, std::string>& Opaques() {
  static const std::map<std::string, std::string> advice = {
      {"spark", "write a command node that calls spark-submit"},
      {"automl", "write a command node that trains the model, or a sweep over its parameters"},
      {"import", "write a command node that fetches the data"},
      {"data_transfer", "write a command node that copies the data"},
      {"finetuning", "write a command node that tunes the model"},
      {"distillation", "write a command node that trains the model"},
      {"prompt flow", "write a command node that calls the flow's own program, `pf run create`"},
  };
  return advice;
}

}  // namespace

const char* const kNodeTypes =
    "command, pipeline, sweep, parallel, if_else, do_while or parallel_for";

NodeKind KindOfType(const std::string& type) {
  static const std::map<std::string, NodeKind> kinds = {
      {"", NodeKind::kCommand},
      {"command", NodeKind::kCommand},
      {"commandcomponent", NodeKind::kCommand},
      {"pipeline", NodeKind::kPipeline},
      {"pipelinecomponent", NodeKind::kPipeline},
      {"sweep", NodeKind::kSweep},
      {"parallel", NodeKind::kParallel},
      {"parallelcomponent", NodeKind::kParallel},
      {"if_else", NodeKind::kIfElse},
      {"do_while", NodeKind::kDoWhile},
      {"parallel_for", NodeKind::kParallelFor},
      {"sparkcomponent", NodeKind::kOpaque},
  };
  if (const auto known = kinds.find(type); known != kinds.end()) return known->second;
  return Opaques().contains(type) ? NodeKind::kOpaque : NodeKind::kUnknown;
}

std::string TypeOfComponent(const YamlNode& map) {
  const auto text = [&map](const char* key) -> std::string {
    const YamlEntry* entry = map.IsMap() ? map.Find(key) : nullptr;
    return entry != nullptr && entry->value->IsScalar() ? entry->value->text : "";
  };
  const std::string type = absl::AsciiStrToLower(text("type"));
  const std::string schema = absl::AsciiStrToLower(text("$schema"));
  const bool is_flow =
      map.IsMap() && (map.Find("flow") != nullptr ||
                      (map.Find("nodes") != nullptr && map.Find("jobs") == nullptr));
  if (absl::StrContains(schema, "flow.schema") || absl::StrContains(schema, "promptflow") ||
      (is_flow && map.Find("command") == nullptr)) {
    return "prompt flow";
  }
  return type == "sparkcomponent" ? "spark" : type;
}

std::string InsteadOf(const std::string& type) {
  const auto known = Opaques().find(type);
  return known == Opaques().end() ? "write a command node that does it" : known->second;
}

}  // namespace potok::client
