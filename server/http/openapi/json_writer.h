// JSON (RFC 8259) put together from its parts, which keep their order. Pure.
#pragma once

#include <string>

namespace potok::server {

// A JSON string, quoted and escaped; `text` is UTF-8.
std::string JsonString(const std::string& text);

class JsonObject {
 public:
  // `json` is a whole JSON value.
  JsonObject& Add(const std::string& key, const std::string& json);
  JsonObject& AddText(const std::string& key, const std::string& text) {
    return Add(key, JsonString(text));
  }
  // "{...}"
  std::string Text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

class JsonArray {
 public:
  JsonArray& Add(const std::string& json);
  // "[...]"
  std::string Text() const { return "[" + items_ + "]"; }

 private:
  std::string items_;
};

}  // namespace potok::server
