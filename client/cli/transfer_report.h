// How far a transfer is, for who waits for it.
#pragma once

#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "client/cli/context.h"
#include "common/cas/cas_client.h"

namespace potok::client {

// Says nothing in the first second. On a terminal then one line that changes five times a second
// and is wiped at the end; otherwise a line every five seconds. Thread-safe.
class TransferReport {
 public:
  // `what` begins the line: "Uploading data".
  TransferReport(const Context& context, std::string what);
  ~TransferReport();
  TransferReport(const TransferReport&) = delete;
  TransferReport& operator=(const TransferReport&) = delete;

  void Say(const TransferProgress& progress);

 private:
  const Context& context_;
  const std::string what_;
  std::mutex mutex_;
  absl::Time next_;
  bool said_ = false;
};

}  // namespace potok::client
