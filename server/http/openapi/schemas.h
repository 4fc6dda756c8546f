// Messages and enums of protobuf as JSON Schema, as OpenAPI has them. Pure.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <string>

namespace potok::server {

// The comments of a thing in its proto file as one text; "" if there are none.
template <class Descriptor>
std::string CommentOf(const Descriptor& thing) {
  google::protobuf::SourceLocation place;
  if (!thing.GetSourceLocation(&place)) return "";
  std::string text = place.leading_comments + place.trailing_comments;
  text.erase(0, text.find_first_not_of(" \n"));
  text.erase(text.find_last_not_of(" \n") + 1);
  // Each line of a comment begins with the blank behind its slashes.
  for (std::size_t at = text.find("\n "); at != std::string::npos; at = text.find("\n ", at + 1)) {
    text.erase(at + 1, 1);
  }
  return text;
}

// The schemas that are used, by their full names.
class Schemas {
 public:
  // {"$ref":"#/components/schemas/potok.v1.Run"}; adds the message and all that it holds.
  std::string RefTo(const google::protobuf::Descriptor& type);
  // One that is no message.
  void Add(const std::string& name, const std::string& schema) { schemas_[name] = schema; }
  // Of components.schemas.
  std::string Text() const;

 private:
  std::string RefTo(const google::protobuf::EnumDescriptor& type);
  std::string OfField(const google::protobuf::FieldDescriptor& field);
  std::string OfValue(const google::protobuf::FieldDescriptor& field);
  std::string OfMessage(const google::protobuf::Descriptor& type);

  std::map<std::string, std::string> schemas_;
};

}  // namespace potok::server
