#include "client/cli/show/table_style.h"

#include <map>

namespace potok::client {
namespace {

constexpr char kGreen[] = "\x1b[32m";
constexpr char kRed[] = "\x1b[31m";
constexpr char kYellow[] = "\x1b[33m";
constexpr char kCyan[] = "\x1b[36m";
constexpr char kFaint[] = "\x1b[2m";

}  // namespace

const char* ColorOfState(const std::string& state) {
  static const std::map<std::string, const char*> kColors = {{"Completed", kGreen},
                                                             {"Ready", kGreen},
                                                             {"Failed", kRed},
                                                             {"Lost", kRed},
                                                             {"Canceled", kYellow},
                                                             {"CancelRequested", kYellow},
                                                             {"NotResponding", kYellow},
                                                             {"Cordoned", kYellow},
                                                             {"Drained", kYellow},
                                                             {"Quarantined", kRed},
                                                             {"Leaving", kYellow},
                                                             {"Preparing", kCyan},
                                                             {"Running", kCyan},
                                                             {"Finalizing", kCyan},
                                                             {"NotStarted", kFaint},
                                                             {"Queued", kFaint},
                                                             {"Paused", kFaint},
                                                             {"Gone", kFaint}};
  const auto found = kColors.find(state);
  return found == kColors.end() ? "" : found->second;
}

std::string InColorOf(const std::string& state, const std::string& text, bool color) {
  const std::string sequence = color ? ColorOfState(state) : "";
  return sequence.empty() ? text : sequence + text + "\x1b[0m";
}

const char* ColorOfCell(const std::string& heading, const std::string& cell) {
  const bool is_state = heading == "STATE" || heading == "Status" || heading == "State";
  return is_state ? ColorOfState(cell) : "";
}

TableStyle StyleOf(const Context& context) {
  TableStyle style;
  style.columns = context.ColumnsOfOut();
  if (context.HasColor()) style.color = ColorOfCell;
  return style;
}

}  // namespace potok::client
