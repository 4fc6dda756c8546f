#include "server/tracking/mlflow_answers.h"

#include <utility>

#include "server/tracking/mlflow_message.h"

namespace potok::server {

MlflowAnswer MlflowErrorAnswer(const absl::Status& status) {
  return {HttpStatusOfMlflow(status), ErrorText(status)};
}

std::string EntriesAnswer(const std::vector<LoggedEntry>& entries) {
  Json files = Json::array();
  for (const LoggedEntry& entry : entries) {
    Json file = {{"path", entry.name}, {"is_dir", entry.is_folder}};
    if (!entry.is_folder) file["file_size"] = entry.size_bytes;
    files.push_back(std::move(file));
  }
  return Json{{"files", std::move(files)}}.dump();
}

}  // namespace potok::server
