#include "server/http/openapi/json_writer.h"

#include "fmt/format.h"

namespace potok::server {

std::string JsonString(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (c == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      json += c;
    }
  }
  return json + "\"";
}

JsonObject& JsonObject::Add(const std::string& key, const std::string& json) {
  members_ += (members_.empty() ? "" : ",") + JsonString(key) + ":" + json;
  return *this;
}

JsonArray& JsonArray::Add(const std::string& json) {
  items_ += (items_.empty() ? "" : ",") + json;
  return *this;
}

}  // namespace potok::server
