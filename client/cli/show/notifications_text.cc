#include "client/cli/show/notifications_text.h"

#include <cctype>
#include <utility>

#include "client/cli/text/printable.h"
#include "client/cli/text/table.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// "STATE_GIVEN_UP" is "given_up".
std::string WordIn(const std::string& name) {
  std::string word = name.substr(name.find('_') + 1);
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::string StateText(const v1::Notification& one) {
  const std::string tries = fmt::format("{} {}", one.tries(), one.tries() == 1 ? "try" : "tries");
  switch (one.state()) {
    case v1::Notification::STATE_DELIVERED:
      return fmt::format("delivered at {} in {}", IsoTime(one.finished_us()), tries);
    case v1::Notification::STATE_GIVEN_UP:
      return fmt::format("given up at {} after {}: {}",
                         IsoTime(one.finished_us()),
                         tries,
                         Printable(one.last_error()));
    default:
      break;
  }
  if (one.tries() == 0) return "waiting";
  return fmt::format("waiting after {}, next at {}: {}",
                     tries,
                     IsoTime(one.next_try_us()),
                     Printable(one.last_error()));
}

}  // namespace

std::string NotificationLines(const std::vector<v1::Notification>& notifications) {
  std::string text = notifications.empty() ? "" : "Notifications\n";
  for (const v1::Notification& one : notifications) {
    text += fmt::format("  {}  {}\n", Printable(one.address()), StateText(one));
  }
  return text;
}

Value NotificationsValue(const std::vector<v1::Notification>& notifications) {
  Array values;
  for (const v1::Notification& one : notifications) {
    values.emplace_back(
        Object{{"id", one.id()},
               {"receiver", WordIn(v1::Notification::Receiver_Name(one.receiver()))},
               {"address", one.address()},
               {"state", WordIn(v1::Notification::State_Name(one.state()))},
               {"tries", one.tries()},
               {"last_error", TextOrNothing(one.last_error())},
               {"next_try_at", TextOrNothing(IsoTime(one.next_try_us()))},
               {"finished_at", TextOrNothing(IsoTime(one.finished_us()))}});
  }
  return Value(std::move(values));
}

}  // namespace potok::client
