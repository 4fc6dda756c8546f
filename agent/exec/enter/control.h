// The agent's end of the conversation, see descriptors.h.
#pragma once

#include <string>

namespace potok::enter {

// Says a word; with a descriptor, unless that is -1. False if the agent is gone.
bool Say(const std::string& word, int descriptor = -1);

// Says "failed" with what `what` did not do, by errno, and ends the program.
[[noreturn]] void Fail(const std::string& what);
[[noreturn]] void FailSaying(const std::string& text);

// The next word; empty: the agent has hung up.
std::string Hear();

}  // namespace potok::enter
