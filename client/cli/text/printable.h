// Text of others (names, logs, reasons) made safe to print, and words made ready for a shell. Pure.
#pragma once

#include <string>
#include <vector>

namespace potok::client {

// Control characters and bytes that are not UTF-8 as \xNN, so that what a step writes cannot move
// the cursor, change colours or answer for the terminal. A tab stays.
std::string Printable(const std::string& text);

// A log line as a terminal would leave it: what follows the last carriage return (progress bars
// redraw their line), made printable.
std::string PrintableLogLine(const std::string& line);

// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string JsonQuoted(const std::string& text);

// Columns that a terminal uses for this UTF-8 text, counting one for each character.
std::size_t Columns(const std::string& text);

// At most `columns` columns: the end is replaced by "…" if it must be.
std::string Shortened(const std::string& text, std::size_t columns);

// One word of bash that expands to exactly `word`. References ${{...}} are left as they are outside
// of the quotes, because Potok replaces them by one word of their own.
std::string ShellQuoted(const std::string& word);

// The command that runs exactly `argv`.
std::string ShellCommandOf(const std::vector<std::string>& argv);

}  // namespace potok::client
