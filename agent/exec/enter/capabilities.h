#pragma once

namespace potok::enter {

// Gives up all capabilities of this process and of what it executes, for ever, as a sandbox's
// command has none: capabilities(7), "bounding set", and PR_SET_NO_NEW_PRIVS of prctl(2). False
// with errno.
bool GiveUpCapabilities();

}  // namespace potok::enter
