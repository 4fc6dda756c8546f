// How a followed run is shown. One thread.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "client/cli/context.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

class View {
 public:
  virtual ~View() = default;
  // `changed` are the steps whose state is new; `run` is all of it as it is now, and stays where it
  // is until Close.
  virtual void Changed(const v1::Run& run,
                       const std::vector<const v1::StepStatus*>& changed,
                       absl::Time now) = 0;
  // A line of its own, such as one of a log. Printable already.
  virtual void Say(const std::string& line) = 0;
  // After each burst of changes, and at least every second.
  virtual void Tick(absl::Time now) = 0;
  // Nothing more comes; what is drawn in place goes away.
  virtual void Close() = 0;
};

// Lines as things change: for files, pipes, and terminals that cannot move the cursor.
std::unique_ptr<View> MakePlainView(std::ostream* out, absl::TimeZone zone);

// A block redrawn in place at the bottom, what is said above it.
std::unique_ptr<View> MakeLiveView(const Context& context);

}  // namespace potok::client
