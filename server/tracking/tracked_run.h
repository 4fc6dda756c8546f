// What all that shows tracked runs has alike. Pure.
#pragma once

#include <string>

#include "server/store/tracking_store.h"

namespace potok::server {

// "FINISHED".
const char* NameOf(TrackedStatus status);

// The name under which the files of a run are kept.
std::string HolderOf(const TrackedRun& run);

// Tags that are not shown: what MLflow keeps elsewhere (inputs and outputs of a run).
inline constexpr char kInputsTag[] = "potok.inputs";
inline constexpr char kOutputsTag[] = "potok.outputs";
bool IsHiddenTag(const std::string& name);

}  // namespace potok::server
