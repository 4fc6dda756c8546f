// Who was told that a run has ended, for people and as a value. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/cli/text/value.h"
#include "potok/v1/notifications.pb.h"

namespace potok::client {

// One line each, below a heading; empty if there is none.
std::string NotificationLines(const std::vector<v1::Notification>& notifications);

Value NotificationsValue(const std::vector<v1::Notification>& notifications);

}  // namespace potok::client
