// The wait of a shim between two attempts.
#pragma once

#include "agent/executor/shim/order_message.h"

namespace potok::shim {

// What to run; the descriptors are in their places (shim_record.h).
struct Order {
  const char* const* argv = nullptr;
  const char* const* environment = nullptr;
  const char* working_directory = nullptr;
  int directory_errno = 0;  // why it could not be entered
};

// Lets go of the descriptors and the folder of the attempt that has ended, says so, and waits for
// another. False if there is no agent any more. What `order` points to is overwritten by the next
// call. SIGTERM ends a shim that waits.
bool NextOrder(std::uint64_t ended_id, Order* order);

}  // namespace potok::shim
