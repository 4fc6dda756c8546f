// Colours of states, and tables as the terminal wants them.
#pragma once

#include <string>

#include "client/cli/context.h"
#include "client/cli/text/table.h"

namespace potok::client {

// Select Graphic Rendition (ECMA-48, 8.3.117) for a state of a run, a step or a machine; "" for a
// word that is none.
const char* ColorOfState(const std::string& state);

// `text` in the colour of its state, if `color`.
std::string InColorOf(const std::string& state, const std::string& text, bool color);

// The colour of a cell below a heading that is of states, for TableStyle.
const char* ColorOfCell(const std::string& heading, const std::string& cell);

// Cut to the terminal's width, states in colour: both only for people.
TableStyle StyleOf(const Context& context);

}  // namespace potok::client
