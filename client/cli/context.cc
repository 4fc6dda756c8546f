#include "client/cli/context.h"

#include <filesystem>

#include "client/cli/text/printable.h"

namespace potok::client {
namespace {

// A message of several lines keeps them.
std::string PrintableLines(const std::string& text) {
  std::string out;
  std::string line;
  for (const char c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    out += Printable(line) + "\n";
    line.clear();
  }
  return out + Printable(line);
}

}  // namespace

std::string Context::Variable(const std::string& name) const {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

bool Context::HasCursor() const {
  const std::string term = Variable("TERM");
  return out_is_terminal && !term.empty() && term != "dumb";
}

bool Context::HasColor() const {
  if (color != "auto") return color == "always";
  if (!Variable("NO_COLOR").empty()) return false;
  const std::string force = Variable("CLICOLOR_FORCE");
  return (!force.empty() && force != "0") || HasCursor();
}

std::size_t Context::ColumnsOfOut() const {
  return out_is_terminal && terminal_size != nullptr ? terminal_size().first : 0;
}

Home Context::HomeOfUser() const {
  if (const std::string home = Variable("POTOK_HOME"); !home.empty()) {
    const std::filesystem::path path(home);
    return Home{(path.is_absolute() ? path : working_folder / path).lexically_normal().string()};
  }
  if (is_root) return Home{"/var/lib/potok"};
  if (const std::string state = Variable("XDG_STATE_HOME"); !state.empty()) {
    return Home{state + "/potok"};
  }
  return Home{Variable("HOME") + "/.local/state/potok"};
}

int Complain(const Context& context, const absl::Status& status) {
  *context.err << "potok: " << PrintableLines(std::string(status.message())) << std::endl;
  if (absl::IsUnavailable(status)) return kExitNoServer;
  if (context.interrupted.stop_requested()) return kExitInterrupted;
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitFailed;
}

}  // namespace potok::client
