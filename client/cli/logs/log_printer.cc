#include "client/cli/logs/log_printer.h"

#include <algorithm>
#include <array>

#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// Of a line that has not ended so much is kept until it is printed in parts.
constexpr std::size_t kPartBytesMax = std::size_t{64} << 10;
constexpr std::size_t kNameColumnsMax = 24;
constexpr std::array kColors = {36, 33, 32, 35, 34, 31};  // SGR 30 to 37

// Bytes at the end of `text` that begin a character of UTF-8 and may be continued.
std::size_t Unfinished(const std::string& text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte >= 0xC0) {
      const std::size_t length = byte >= 0xF0 ? 4 : (byte >= 0xE0 ? 3 : 2);
      return length > back ? back : 0;
    }
    if (byte < 0x80) return 0;
  }
  return 0;
}

// The length of "ESC [ numbers m" at `at`, or 0.
std::size_t ColorLength(const std::string& text, std::size_t at) {
  if (text.compare(at, 2, "\x1b[") != 0) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", at + 2);
  constexpr std::size_t kLongest = 32;
  const bool is_color = end != std::string::npos && text[end] == 'm' && end - at < kLongest;
  return is_color ? end + 1 - at : 0;
}

}  // namespace

std::string PrintableWithColors(const std::string& text) {
  std::string out;
  bool colored = false;
  std::size_t from = 0;
  for (std::size_t at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b', at)) {
    const std::size_t length = ColorLength(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    out += Printable(text.substr(from, at - from)) + text.substr(at, length);
    colored = true;
    at += length;
    from = at;
  }
  out += Printable(text.substr(from));
  return colored ? out + "\x1b[0m" : out;
}

bool LogPrinter::PassesThrough() const {
  const bool plain = !options_.several && !options_.times;
  return options_.raw || (plain && !context_.out_is_terminal);
}

void LogPrinter::Print(const v1::LogsResponse& response) {
  const Source source = {response.step(), response.attempt()};
  // One log after the other: what the last one ends with is all there is of its line.
  if (!options_.interleaved && !lines_.contains(source)) PrintRests();
  if (response.has_matches()) {
    PrintCount(source, response);
  } else if (response.lines_size() > 0) {
    PrintFound(source, response);
  } else if (PassesThrough()) {
    out_ += response.data();
  } else {
    PrintBytes(source, response);
  }
  context_.out->write(out_.data(), static_cast<std::streamsize>(out_.size()));
  context_.out->flush();
  out_.clear();
}

void LogPrinter::PrintBytes(const Source& source, const v1::LogsResponse& response) {
  Line& line = lines_[source];
  const std::string& data = response.data();
  auto time = response.times().begin();
  for (std::size_t at = 0; at < data.size();) {
    const std::int64_t offset = response.offset() + static_cast<std::int64_t>(at);
    while (time != response.times().end() && std::next(time) != response.times().end() &&
           std::next(time)->offset() <= offset) {
      ++time;
    }
    if (!std::exchange(line.has_begun, true) && time != response.times().end()) {
      line.time_us = time->time_us();
    }
    const std::size_t end = data.find('\n', at);
    line.text.append(data, at, end == std::string::npos ? end : end - at);
    at = end == std::string::npos ? data.size() : end + 1;
    if (end != std::string::npos) {
      PrintLine(source, line.text, /*ends=*/true, line.time_us);
      line = {};
    } else if (line.text.size() > kPartBytesMax) {
      const std::size_t cut = line.text.size() - Unfinished(line.text);
      PrintLine(source, line.text.substr(0, cut), /*ends=*/false, line.time_us);
      line.text.erase(0, cut);
    }
  }
}

void LogPrinter::PrintFound(const Source& source, const v1::LogsResponse& response) {
  for (const v1::LogLine& line : response.lines()) {
    if (line.is_match()) ++matches_;
    if (options_.raw) {
      out_ += line.text() + "\n";
      continue;
    }
    std::int64_t& last = last_found_[source];
    if (options_.context && last != 0 && line.number() > last + 1) out_ += "--\n";
    last = line.number();
    const std::string number = std::to_string(line.number());
    Begin(source, line.time_us());
    out_ += context_.HasColor() ? "\x1b[32m" + number + "\x1b[0m" : number;
    out_ += (line.is_match() ? ":" : "-") + Shown(line.text()) + "\n";
  }
}

void LogPrinter::PrintCount(const Source& source, const v1::LogsResponse& response) {
  if (!counted_.insert(source).second) return;  // told before the line was cut
  matches_ += response.matches();
  out_ += options_.several ? NameOf(source) + ": " : "";
  out_ += std::to_string(response.matches()) + "\n";
}

void LogPrinter::PrintLine(const Source& source,
                           const std::string& text,
                           bool ends,
                           std::int64_t time_us) {
  if (open_line_ != source) Begin(source, time_us);
  out_ += Shown(text);
  open_line_ = ends ? Source() : source;
  if (ends) out_ += '\n';
}

// What stands in front of a line, and what has to come before that.
void LogPrinter::Begin(const Source& source, std::int64_t time_us) {
  EndOpenLine();
  if (options_.several && !options_.interleaved && heading_ != source) {
    const std::string heading = "==> " + NameOf(source) + " <==";
    out_ += heading_.second == 0 ? "" : "\n";
    out_ += context_.HasColor() ? "\x1b[1m" + heading + "\x1b[0m" : heading;
    out_ += '\n';
    heading_ = source;
  }
  if (options_.times) {
    constexpr char kFormat[] = "%Y-%m-%d %H:%M:%E1S";
    out_ += time_us == 0 ? std::string(21, '-')
                         : absl::FormatTime(kFormat, absl::FromUnixMicros(time_us), context_.zone);
    out_ += ' ';
  }
  if (options_.several && options_.interleaved) out_ += Prefix(source);
}

void LogPrinter::EndOpenLine() {
  if (open_line_.second != 0) out_ += '\n';
  open_line_ = {};
}

std::string LogPrinter::NameOf(const Source& source) const {
  const std::string name = Printable(source.first);
  return source.second > 1 ? fmt::format("{} (attempt {})", name, source.second) : name;
}

std::string LogPrinter::Prefix(const Source& source) {
  const std::string name = NameOf(source);
  const std::size_t columns = Columns(name);
  name_columns_ = std::max(name_columns_, std::min(columns, kNameColumnsMax));
  const std::string padded =
      name + std::string(name_columns_ > columns ? name_columns_ - columns : 0, ' ') + " | ";
  if (!context_.HasColor()) return padded;
  const auto number = colors_.try_emplace(source.first, static_cast<int>(colors_.size())).first;
  return fmt::format("\x1b[{}m{}\x1b[0m",
                     kColors[static_cast<std::size_t>(number->second) % kColors.size()],
                     padded);
}

// As a terminal would leave it: what follows the last carriage return (progress bars redraw their
// line).
std::string LogPrinter::Shown(const std::string& text) const {
  if (!context_.out_is_terminal) return text;
  std::string line = text;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (const std::size_t back = line.rfind('\r'); back != std::string::npos) line.erase(0, back + 1);
  return context_.HasColor() ? PrintableWithColors(line) : Printable(line);
}

void LogPrinter::PrintRests() {
  for (const auto& [source, line] : lines_) {
    if (!line.text.empty()) PrintLine(source, line.text, /*ends=*/false, line.time_us);
  }
  lines_.clear();
}

void LogPrinter::Close() {
  PrintRests();
  // What is no terminal gets no byte that is not of the log.
  if (context_.out_is_terminal || options_.several) EndOpenLine();
  context_.out->write(out_.data(), static_cast<std::streamsize>(out_.size()));
  context_.out->flush();
  out_.clear();
}

}  // namespace potok::client
