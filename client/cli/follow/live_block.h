// The lines of the live view of a run. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

struct Screen {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool color = false;
};

// At most `rows` - 1 lines of at most `columns` columns: the run, then one line for each step; when
// they do not fit, counts by state and the steps that are on machines.
std::vector<std::string> LiveBlock(const v1::Run& run, absl::Time now, const Screen& screen);

}  // namespace potok::client
