#include "client/cli/show/message_fields.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "client/cli/text/value.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

const Value* Find(const Object& object, const std::string& key) {
  for (const auto& [name, value] : object) {
    if (name == key) return &value;
  }
  return nullptr;
}

// "sha256:.../42" of {"digest": {"hash": ...}}; empty for anything else.
std::string DigestOfArtifact(const Object& object) {
  const Value* digest = Find(object, "digest");
  const Object* members = digest == nullptr ? nullptr : digest->AsObject();
  const Value* hash = members == nullptr ? nullptr : Find(*members, "hash");
  if (hash == nullptr) return "";
  const Value* size = Find(*members, "size_bytes");
  return fmt::format("sha256:{}/{}", ScalarText(*hash), size == nullptr ? "0" : ScalarText(*size));
}

// VALUE_TYPE_URI_FILE and MODE_UPLOAD as people write them; other texts as they are.
std::string EnumWord(const std::string& path, std::string text) {
  const std::string prefix = path.ends_with(".type")   ? "VALUE_TYPE_"
                             : path.ends_with(".mode") ? "MODE_"
                                                       : "";
  if (prefix.empty() || !text.starts_with(prefix)) return text;
  text.erase(0, prefix.size());
  absl::AsciiStrToLower(&text);
  return text;
}

// The name of an item is in its path, unless there is nothing else to say of it.
Value WithoutName(const Object& item) {
  if (item.size() == 1) return Value(item);
  Object rest;
  for (const auto& [key, member] : item) {
    if (key != "name") rest.emplace_back(key, member);
  }
  return Value(std::move(rest));
}

void Flatten(const Value& value,
             const std::string& path,
             std::map<std::string, std::string>* fields) {
  const auto below = [&path](const std::string& name) {
    return path.empty() ? name : path + "." + name;
  };
  if (const Object* object = value.AsObject()) {
    if (const std::string artifact = DigestOfArtifact(*object); !artifact.empty()) {
      (*fields)[path] = artifact;
      return;
    }
    for (const auto& [key, member] : *object) {
      // Which kind of value an input has is seen in the value.
      const bool is_kind = key == "text" || key == "artifact" || key == "uri";
      Flatten(member, is_kind && path.ends_with(".value") ? path : below(key), fields);
    }
  } else if (const Array* array = value.AsArray()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      const Object* item = (*array)[i].AsObject();
      const Value* name = item == nullptr ? nullptr : Find(*item, "name");
      if (name == nullptr) {
        Flatten((*array)[i], fmt::format("{}[{}]", path, i), fields);
      } else {
        Flatten(WithoutName(*item), below(ScalarText(*name)), fields);
      }
    }
  } else {
    (*fields)[path] = EnumWord(path, ScalarText(value));
  }
}

}  // namespace

std::map<std::string, std::string> FieldsOf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  std::map<std::string, std::string> fields;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return fields;
  const absl::StatusOr<Value> value = ParseJson(json);
  if (value.ok()) Flatten(*value, "", &fields);
  return fields;
}

std::vector<Difference> Compare(const std::map<std::string, std::string>& a,
                                const std::map<std::string, std::string>& b) {
  std::vector<Difference> differences;
  for (const auto& [field, text] : a) {
    const auto other = b.find(field);
    if (other == b.end()) {
      differences.push_back({field, text, ""});
    } else if (other->second != text) {
      differences.push_back({field, text, other->second});
    }
  }
  for (const auto& [field, text] : b) {
    if (!a.contains(field)) differences.push_back({field, "", text});
  }
  return differences;
}

}  // namespace potok::client
