#include "server/artifacts/web_response.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace potok::server {

void WebResponse::AddLine(const std::string& line) {
  if (absl::StartsWith(line, "HTTP/")) {
    *this = WebResponse();
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() < 2 || !absl::SimpleAtoi(words[1], &code)) code = 0;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  const std::string name = absl::AsciiStrToLower(line.substr(0, colon));
  std::string value = line.substr(colon + 1);
  absl::StripAsciiWhitespace(&value);
  if (name == "etag") etag = value;
  if (name == "last-modified") last_modified = value;
  if (name == "date") date = value;
  if (name == "content-length" && !absl::SimpleAtoi(value, &length)) length = -1;
  if (name == "content-range" && absl::StartsWith(value, "bytes ")) {
    const std::string begin = value.substr(6, value.find('-') - 6);
    if (!absl::SimpleAtoi(begin, &range_begin)) range_begin = -1;
  }
}

std::string WebResponse::Validator() const {
  if (!etag.empty() && !absl::StartsWith(etag, "W/")) return etag;
  return last_modified;
}

std::string WebResponse::ConditionOfNext() const {
  if (!etag.empty()) return absl::StartsWith(etag, "W/") ? "" : "If-None-Match: " + etag;
  absl::Time said;
  absl::Time changed;
  std::string error;
  constexpr const char* kHttpDate = "%a, %d %b %E4Y %H:%M:%S GMT";  // RFC 9110, 5.6.7
  if (!absl::ParseTime(kHttpDate, date, &said, &error)) return "";
  if (!absl::ParseTime(kHttpDate, last_modified, &changed, &error)) return "";
  return said - changed < absl::Minutes(1) ? "" : "If-Modified-Since: " + last_modified;
}

}  // namespace potok::server
