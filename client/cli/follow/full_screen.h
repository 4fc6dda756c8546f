// A screen that is drawn anew until a person leaves it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/context.h"
#include "client/cli/follow/live_block.h"

namespace potok::client {

// Makes a waiting screen draw at once. Thread-safe.
class Redraw {
 public:
  void Ask();
  // Until somebody asks, or `timeout` is over.
  void Wait(absl::Duration timeout);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
};

// What is on the screen now; no lines: not known yet; an error ends it.
using Frame = std::function<absl::StatusOr<std::vector<std::string>>(absl::Time, const Screen&)>;

// On a terminal: draws `frame` each second and when `redraw` is asked, in the terminal's second
// screen, until q or Ctrl-C; then the first screen is there again. Elsewhere: prints it
// once, as soon as it has lines, as wide and long as it is. `frame` is called by this thread.
absl::Status ShowFullScreen(const Context& context, Redraw& redraw, const Frame& frame);

}  // namespace potok::client
