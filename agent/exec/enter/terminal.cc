#include "agent/exec/enter/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/exec/enter/control.h"

namespace potok::enter {

Terminal OpenTerminal(int rows, int columns) {
  Terminal terminal;
  terminal.outer = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal.outer < 0 || unlockpt(terminal.outer) != 0) Fail("no terminal can be opened");
  // Not by its name: /dev/pts may be another one where it is looked for.
  terminal.command = ioctl(terminal.outer, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal.command < 0) Fail("its terminal cannot be opened");
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  if (rows > 0 && columns > 0) ioctl(terminal.outer, TIOCSWINSZ, &size);
  return terminal;
}

bool TakeTerminal(int command) {
  if (ioctl(command, TIOCSCTTY, 0) != 0) return false;
  for (int number = 0; number < 3; ++number) {
    if (dup2(command, number) < 0) return false;
  }
  return true;
}

}  // namespace potok::enter
