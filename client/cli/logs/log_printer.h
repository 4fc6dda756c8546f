// Writes what Logs answers. One thread.
//
// To a file or a pipe the bytes of logs go through as they are. To a terminal they are made
// harmless: control characters and what is not UTF-8 become \xNN; colours stay if the terminal
// shows colours at all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/context.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

struct LogPrinterOptions {
  bool raw = false;          // nothing but the bytes, also to a terminal
  bool several = false;      // steps: say whose log it is,
  bool interleaved = false;  // in front of each line, not above each log
  bool times = false;        // when each line arrived, in front of it
  bool context = false;      // lines around matches are shown: a line between those apart
};

class LogPrinter {
 public:
  LogPrinter(const Context& context, const LogPrinterOptions& options)
      : context_(context), options_(options) {}

  void Print(const v1::LogsResponse& response);
  // Nothing more comes: ends a line that was begun.
  void Close();

  // Lines that a search found.
  std::int64_t matches() const { return matches_; }

 private:
  using Source = std::pair<std::string, std::int32_t>;  // step, attempt
  struct Line {
    std::string text;  // of a line that has not ended, what is not yet printed
    std::int64_t time_us = 0;
    bool has_begun = false;
  };

  bool PassesThrough() const;
  void PrintBytes(const Source& source, const v1::LogsResponse& response);
  void PrintFound(const Source& source, const v1::LogsResponse& response);
  void PrintCount(const Source& source, const v1::LogsResponse& response);
  void PrintLine(const Source& source, const std::string& text, bool ends, std::int64_t time_us);
  void Begin(const Source& source, std::int64_t time_us);
  void EndOpenLine();
  void PrintRests();
  std::string NameOf(const Source& source) const;
  std::string Prefix(const Source& source);
  std::string Shown(const std::string& text) const;

  const Context& context_;
  const LogPrinterOptions options_;
  std::string out_;               // written at the end of each Print
  std::map<Source, Line> lines_;  // that have not ended
  Source open_line_;              // whose line was printed without its end, attempt 0: none
  Source heading_;                // the last one printed
  std::map<Source, std::int64_t> last_found_;
  std::set<Source> counted_;
  std::map<std::string, int> colors_;
  std::size_t name_columns_ = 0;
  std::int64_t matches_ = 0;
};

// `text` with control characters and what is not UTF-8 as \xNN, but for colours (SGR of ECMA-48,
// 8.3.117), which end with the text.
std::string PrintableWithColors(const std::string& text);

}  // namespace potok::client
