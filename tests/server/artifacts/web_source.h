// A web server for tests that answers exactly the bytes it is told to, right or wrong.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace potok::server {

// Answers one request for each connection, one after another, and closes it.
class WebSource {
 public:
  // Gives the bytes of an answer to a request's head, and its body, if it has a Content-Length.
  using Answer = std::function<std::string(const std::string& head)>;

  explicit WebSource(Answer answer);
  ~WebSource();
  WebSource(const WebSource&) = delete;
  WebSource& operator=(const WebSource&) = delete;

  int port() const { return port_; }
  std::string Url(const std::string& path) const;
  // All requests so far, as the answers got them.
  std::vector<std::string> requests() const;

 private:
  void Serve();

  const Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

// A whole answer: "200 OK", further lines of the head ("ETag: \"a\"\r\n"), the body.
std::string Reply(const std::string& status, const std::string& lines, const std::string& body);

// Where the Range of a request begins; 0 if it has none.
std::int64_t RangeOf(const std::string& head);

}  // namespace potok::server
