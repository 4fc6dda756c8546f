#include "server/http/openapi/openapi.h"

#include "server/http/openapi/json_writer.h"
#include "server/http/openapi/schemas.h"

namespace potok::server {

namespace {

namespace pb = google::protobuf;

const char* const kAbout =
    "The whole API of Potok over HTTP, by the Connect protocol. Every call is a POST of JSON with "
    "the header `Authorization: Bearer TOKEN`, where TOKEN is the content of the file `http.token` "
    "in the server's home. A method that streams answers a plain JSON request with one JSON "
    "message a line (application/x-ndjson), the last being {\"error\": ...} if it failed.";

std::string Content(const std::string& type, const std::string& schema) {
  return JsonObject().Add(type, JsonObject().Add("schema", schema).Text()).Text();
}

std::string Responses(const pb::MethodDescriptor& method, Schemas& schemas) {
  const std::string type = method.server_streaming() ? "application/x-ndjson" : "application/json";
  const std::string good =
      JsonObject()
          .AddText("description", method.server_streaming() ? "Messages, one a line" : "Done")
          .Add("content", Content(type, schemas.RefTo(*method.output_type())))
          .Text();
  const std::string bad =
      JsonObject()
          .AddText("description", "What went wrong")
          .Add("content", Content("application/json", R"({"$ref":"#/components/schemas/Error"})"))
          .Text();
  return JsonObject().Add("200", good).Add("default", bad).Text();
}

std::string Operation(const pb::MethodDescriptor& method, Schemas& schemas) {
  const std::string type = method.client_streaming() ? "application/x-ndjson" : "application/json";
  const std::string body = JsonObject()
                               .Add("required", "true")
                               .Add("content", Content(type, schemas.RefTo(*method.input_type())))
                               .Text();
  JsonObject operation;
  operation.AddText("operationId", method.service()->name() + "." + method.name())
      .Add("tags", JsonArray().Add(JsonString(method.service()->name())).Text());
  if (const std::string text = CommentOf(method); !text.empty()) {
    operation.AddText("summary", text.substr(0, text.find_first_of(".\n")))
        .AddText("description", text);
  }
  operation.Add("requestBody", body).Add("responses", Responses(method, schemas));
  return JsonObject().Add("post", operation.Text()).Text();
}

// "Error" of the Connect protocol.
const char* const kErrorSchema =
    R"({"type":"object","required":["code"],"properties":{)"
    R"("code":{"type":"string","description":"invalid_argument, not_found and the like"},)"
    R"("message":{"type":"string"},)"
    R"("details":{"type":"array","items":{"type":"object","properties":{)"
    R"("type":{"type":"string"},"value":{"type":"string","format":"byte"},"debug":{}}}}}})";

std::string Components(Schemas& schemas) {
  schemas.Add("Error", kErrorSchema);
  const std::string bearer =
      JsonObject().AddText("type", "http").AddText("scheme", "bearer").Text();
  return JsonObject()
      .Add("schemas", schemas.Text())
      .Add("securitySchemes", JsonObject().Add("token", bearer).Text())
      .Text();
}

}  // namespace

std::string OpenApi(const std::vector<const pb::ServiceDescriptor*>& services,
                    const std::string& version) {
  Schemas schemas;
  JsonObject paths;
  JsonArray tags;
  for (const pb::ServiceDescriptor* service : services) {
    bool any = false;
    for (int i = 0; i < service->method_count(); ++i) {
      const pb::MethodDescriptor& method = *service->method(i);
      if (method.client_streaming() && method.server_streaming()) continue;
      paths.Add("/" + service->full_name() + "/" + method.name(), Operation(method, schemas));
      any = true;
    }
    if (!any) continue;
    JsonObject tag;
    tag.AddText("name", service->name());
    if (const std::string text = CommentOf(*service); !text.empty()) {
      tag.AddText("description", text);
    }
    tags.Add(tag.Text());
  }
  const std::string info = JsonObject()
                               .AddText("title", "Potok")
                               .AddText("version", version)
                               .AddText("description", kAbout)
                               .Text();
  return JsonObject()
      .AddText("openapi", "3.1.0")
      .Add("info", info)
      .Add("security", R"([{"token":[]}])")
      .Add("tags", tags.Text())
      .Add("paths", paths.Text())
      .Add("components", Components(schemas))
      .Text();
}

}  // namespace potok::server
