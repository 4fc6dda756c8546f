// Orders as tests need them.
#pragma once

#include <string>

#include "agent/domain/order.h"

namespace potok::agent {

inline AttemptOrder AnOrder(std::string command = "/bin/true") {
  AttemptOrder order;
  order.key = {7, 3, 2};
  order.run = "calm_lake";
  order.step = "train";
  order.job_name = "calm_lake_train";
  order.command = std::move(command);
  order.experiment_name = "prices";
  return order;
}

inline AttemptInput AText(std::string name, std::string text) {
  return {std::move(name), ValueType::kString, Mode::kDefault, std::move(text)};
}

inline AttemptInput AFile(std::string name, std::string file_name) {
  return {std::move(name),
          ValueType::kUriFile,
          Mode::kDefault,
          Artifact{DigestOf("file"), false, 4, std::move(file_name)}};
}

inline AttemptInput AFolder(std::string name) {
  return {std::move(name),
          ValueType::kUriFolder,
          Mode::kDefault,
          Artifact{DigestOf("folder"), true, 4, ""}};
}

inline Output AnOutput(std::string name, ValueType type, std::string path = "") {
  Output output;
  output.name = std::move(name);
  output.type = type;
  output.path = std::move(path);
  return output;
}

}  // namespace potok::agent
