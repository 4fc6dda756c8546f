// A history in words, for whoever replays a seed.
#pragma once

#include <string>

#include "server/domain/effect.h"
#include "server/domain/event.h"

namespace potok::server {

std::string TextOf(const Event& event);
std::string TextOf(const Effect& effect);

}  // namespace potok::server
