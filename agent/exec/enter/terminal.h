// A terminal for a command: pty(7).
#pragma once

namespace potok::enter {

struct Terminal {
  int outer = -1;    // the agent's end
  int command = -1;  // the command's end
};

// Opened where the command is to run, so that it finds it under /dev/pts. Ends the program with
// what failed.
Terminal OpenTerminal(int rows, int columns);

// Makes it the terminal of this process, which must lead its session, and its 0, 1 and 2. False
// with errno.
bool TakeTerminal(int command);

}  // namespace potok::enter
