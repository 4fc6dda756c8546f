// What a misspelt word may have meant. Pure.
#pragma once

#include <string>
#include <vector>

namespace potok::client {

// The one of `known` that fewest changes of a letter (up to a third of the word, at least two) lead
// to; the first of equals; empty if none is so near.
std::string Nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace potok::client
