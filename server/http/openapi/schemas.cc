#include "server/http/openapi/schemas.h"

#include "server/http/openapi/json_writer.h"

namespace potok::server {

namespace {

namespace pb = google::protobuf;

std::string Ref(const std::string& name) {
  return JsonObject().AddText("$ref", "#/components/schemas/" + name).Text();
}

std::string Type(const std::string& type, const std::string& format = "") {
  JsonObject schema;
  schema.AddText("type", type);
  if (!format.empty()) schema.AddText("format", format);
  return schema.Text();
}

}  // namespace

std::string Schemas::RefTo(const pb::Descriptor& type) {
  // Entered before it is made: a message may hold itself.
  if (schemas_.emplace(type.full_name(), "").second) schemas_[type.full_name()] = OfMessage(type);
  return Ref(type.full_name());
}

std::string Schemas::RefTo(const pb::EnumDescriptor& type) {
  JsonArray names;
  std::string meanings;
  for (int i = 0; i < type.value_count(); ++i) {
    const pb::EnumValueDescriptor& value = *type.value(i);
    names.Add(JsonString(value.name()));
    const std::string comment = CommentOf(value);
    if (!comment.empty()) meanings += "\n- " + value.name() + ": " + comment;
  }
  JsonObject schema;
  schema.AddText("type", "string").Add("enum", names.Text());
  if (const std::string text = CommentOf(type) + meanings; !text.empty()) {
    schema.AddText("description", text);
  }
  schemas_[type.full_name()] = schema.Text();
  return Ref(type.full_name());
}

// Of one value, as the JSON mapping has it: 64-bit numbers are strings, since numbers of JavaScript
// cannot hold them.
std::string Schemas::OfValue(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return Type("boolean");
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return Type("integer", "int32");
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return JsonObject().AddText("type", "integer").Add("minimum", "0").Text();
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return Type("string", "int64");
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return Type("string", "uint64");
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return Type("number", "double");
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return RefTo(*field.enum_type());
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      return RefTo(*field.message_type());
    case pb::FieldDescriptor::CPPTYPE_STRING:
      break;
  }
  return field.type() == pb::FieldDescriptor::TYPE_BYTES ? Type("string", "byte") : Type("string");
}

std::string Schemas::OfField(const pb::FieldDescriptor& field) {
  if (field.is_map()) {
    return JsonObject()
        .AddText("type", "object")
        .Add("additionalProperties", OfValue(*field.message_type()->map_value()))
        .Text();
  }
  if (!field.is_repeated()) return OfValue(field);
  return JsonObject().AddText("type", "array").Add("items", OfValue(field)).Text();
}

std::string Schemas::OfMessage(const pb::Descriptor& type) {
  JsonObject properties;
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    std::string description = CommentOf(field);
    if (const auto* choice = field.real_containing_oneof(); choice != nullptr) {
      description += (description.empty() ? "" : "\n") + std::string("At most one of ") +
                     choice->name() + " is set.";
    }
    std::string schema = OfField(field);
    if (!description.empty()) {
      schema.insert(schema.size() - 1, ",\"description\":" + JsonString(description));
    }
    properties.Add(field.json_name(), schema);
  }
  JsonObject schema;
  schema.AddText("type", "object").Add("properties", properties.Text());
  // What the server does with a field that it does not know.
  schema.Add("additionalProperties", "false");
  if (const std::string text = CommentOf(type); !text.empty()) schema.AddText("description", text);
  return schema.Text();
}

std::string Schemas::Text() const {
  JsonObject all;
  for (const auto& [name, schema] : schemas_) all.Add(name, schema);
  return all.Text();
}

}  // namespace potok::server
