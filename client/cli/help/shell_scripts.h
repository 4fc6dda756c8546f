// The scripts that make shells ask `potok` what may stand where. Pure.
#pragma once

#include <string>

namespace potok::client {

// For "bash", "zsh" or "fish"; "" for another. They hold no word of the commands: each time they
// run `potok complete -- WORD...`, whose lines are a candidate, a tab and what it means, or
// ":files" or
// ":folders" for names on this machine.
std::string CompletionScript(const std::string& shell);

}  // namespace potok::client
