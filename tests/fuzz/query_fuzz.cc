// What the command line prints: --query over a job's object, the formats of an object, and texts of
// others. A query, and behind a zero byte a text that the object holds.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include "client/cli/text/printable.h"
#include "client/cli/text/query.h"
#include "client/cli/text/value.h"
#include "tests/fuzz/fuzz.h"

namespace potok::client {
namespace {

Value ObjectWith(const std::string& text) {
  const Object step = {{"name", "train"}, {"status", "Completed"}, {"note", text}, {"exit", 0}};
  const Object other = {{"name", text}, {"status", "Failed"}, {"cost", -1.5e300}, {"ok", false}};
  return Object{{"name", "run"},
                {"steps", Array{step, other, Array{Value(), Array{1, 2}, text}}},
                {"tags", Object{{text, text}, {text + "!", Value()}, {text + "?", Array()}}},
                {"size", std::int64_t{1} << 62}};
}

// Whether YAML says the same, as text: what is a text there is one here.
bool IsSame(const Value& value, const YAML::Node& node) {
  if (const Array* array = value.AsArray()) {
    if (array->size() != node.size() || !(node.IsSequence() || array->empty())) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!IsSame((*array)[i], node[i])) return false;
    }
    return true;
  }
  if (const Object* object = value.AsObject()) {
    if (object->size() != node.size()) return false;
    std::size_t i = 0;
    for (const auto& entry : node) {
      const Member& member = (*object)[i++];
      if (entry.first.Scalar() != member.first || !IsSame(member.second, entry.second))
        return false;
    }
    return true;
  }
  if (value.IsNull()) return node.IsNull();
  return node.IsScalar() && node.Scalar() == ScalarText(value);
}

bool IsUtf8(const std::string& text) {
  return JsonQuoted(text).find("\xEF\xBF\xBD") == std::string::npos;
}

void CheckFormats(const Value& value, bool is_text) {
  google::protobuf::Value parsed;
  POTOK_CHECK(google::protobuf::util::JsonStringToMessage(ToJson(value), &parsed).ok());
  ToTsv(value);
  const std::string yaml = ToYaml(value);
  const YAML::Node node = YAML::Load(yaml);
  POTOK_CHECK(!is_text || IsSame(value, node));
}

void CheckPrintable(const std::string& text) {
  const std::string printable = Printable(text);
  for (const char c : printable) {
    POTOK_CHECK(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
  }
  POTOK_CHECK(Printable(printable) == printable);
  POTOK_CHECK(PrintableLogLine(text).find('\n') == std::string::npos);
  POTOK_CHECK(Columns(Shortened(printable, 7)) <= 7);
  POTOK_CHECK(ShellQuoted(text).size() >= text.size());
}

}  // namespace
}  // namespace potok::client

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::client;
  const std::string input = TextOf(data, size);
  const std::size_t zero = input.find('\0');
  const std::string text = zero == std::string::npos ? "a: #b" : input.substr(zero + 1);
  const Value object = ObjectWith(text);
  CheckPrintable(text);
  CheckFormats(object, IsUtf8(text));
  const auto answer = Query(object, input.substr(0, zero));
  if (!answer.ok()) {
    POTOK_CHECK(answer.status().code() == absl::StatusCode::kInvalidArgument);
  } else {
    CheckFormats(*answer, false);
  }
  return 0;
}
