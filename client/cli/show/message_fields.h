// A message as a flat map of texts, so that two can be compared field by field. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/cli/show/run_diff.h"

namespace google::protobuf {
class Message;
}

namespace potok::client {

// {"inputs.lr.value": "0.1", "code": "sha256:.../42"}: items of a list are called by their name
// where they have one, an artifact is one text, fields with their default value are left out.
std::map<std::string, std::string> FieldsOf(const google::protobuf::Message& message);

// What is in one of them only, or not the same; by field.
std::vector<Difference> Compare(const std::map<std::string, std::string>& a,
                                const std::map<std::string, std::string>& b);

}  // namespace potok::client
