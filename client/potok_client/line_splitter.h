// Cuts bytes that arrive in pieces into lines. A value; pure.
#pragma once

#include <string>
#include <vector>

namespace potok::client {

class LineSplitter {
 public:
  // The lines that `data` completes, without their ends. A line longer than 64 KiB is cut.
  std::vector<std::string> Add(const std::string& data);

  // What came after the last end of a line.
  std::string Rest();

 private:
  std::string rest_;
};

}  // namespace potok::client
