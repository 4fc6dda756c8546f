// A command that is to run beside an attempt; the wire form is potok.v1.OpenExec.
#pragma once

#include <string>
#include <vector>

#include "common/base/attempt.h"

namespace potok::agent {

struct ExecOrder {
  std::string token = {};  // to join by; a secret
  AttemptKey key = {};
  std::vector<std::string> argv = {};  // empty: a shell
  bool has_terminal = false;
  int rows = 0;  // of its terminal; 0: not known
  int columns = 0;
  std::string terminal_type = {};  // for TERM
  std::string user = {};           // who asks, for the log
};

}  // namespace potok::agent
