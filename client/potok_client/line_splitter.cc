#include "client/potok_client/line_splitter.h"

namespace potok::client {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{64} * 1024;

}  // namespace

std::vector<std::string> LineSplitter::Add(const std::string& data) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  for (std::size_t end; (end = data.find('\n', at)) != std::string::npos; at = end + 1) {
    rest_.append(data, at, end - at);
    lines.push_back(Rest());
  }
  rest_.append(data, at);
  if (rest_.size() > kLineBytesMax) lines.push_back(Rest());
  return lines;
}

std::string LineSplitter::Rest() {
  std::string rest;
  rest.swap(rest_);
  return rest;
}

}  // namespace potok::client
