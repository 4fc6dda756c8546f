// Files that are part of the program.
#pragma once

#include <string>
#include <vector>

namespace potok::server {

struct EmbeddedFile {
  std::string name;  // "app.js"
  std::string content;
};

// The web pages (folder web/), and the description of the API (openapi.json, made of the protos).
const std::vector<EmbeddedFile>& WebFiles();
const std::vector<EmbeddedFile>& ApiFiles();

}  // namespace potok::server
