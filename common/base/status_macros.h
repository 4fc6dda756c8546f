// Early return on a Status that is not OK. Public abseil has none, so Potok has one, here.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression` from the enclosing function unless it is OK.
#define POTOK_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                     \
    if (absl::Status potok_status = (expression); !potok_status.ok()) return potok_status; \
  } while (false)

#define POTOK_CONCAT_INNER(a, b) a##b
#define POTOK_CONCAT(a, b) POTOK_CONCAT_INNER(a, b)

// Declares or assigns `target` from a StatusOr, or returns its status.
#define POTOK_ASSIGN_OR_RETURN(target, expression) \
  POTOK_ASSIGN_OR_RETURN_INNER(POTOK_CONCAT(potok_or_, __LINE__), target, expression)
#define POTOK_ASSIGN_OR_RETURN_INNER(temporary, target, expression) \
  auto temporary = (expression);                                    \
  if (!temporary.ok()) return temporary.status();                   \
  target = *std::move(temporary)
