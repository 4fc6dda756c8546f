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
  std::string date;  // when the source said so, by its clock

  // Takes a line of the head. A status line begins anew: of redirects only the last counts.
  void AddLine(const std::string& line);

  // What If-Range may say: a strong ETag, else Last-Modified, else nothing (RFC 9110, 13.1.5).
  std::string Validator() const;

  // The line of a request that has the source send nothing if these very bytes are still there:
  // If-None-Match with a strong ETag, else If-Modified-Since with a Last-Modified that is strong,
  // which is one older than Date by a minute (RFC 9110, 8.8.2.2), else empty. A weak one may stand
  // for other bytes.
  std::string ConditionOfNext() const;
};

}  // namespace potok::server
