// What a source says before the bytes. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace potok::server {

struct WebResponse {
  int code = 0;
  std::int64_t length = -1;       // of the body; -1: not said
  std::int64_t range_begin = -1;  // of a part (206)
  std::string etag;
  std::string last_modified;

  // Takes a line of the head. A status line begins anew: of redirects only the last counts.
  void AddLine(const std::string& line);

  // What If-Range may say: a strong ETag, else Last-Modified, else nothing (RFC 9110, 13.1.5).
  std::string Validator() const;
};

}  // namespace potok::server
