#include "tests/fuzz/fuzz.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <stdlib.h>

#include <filesystem>

namespace potok {

namespace {

// Says nothing of what it cannot read.
class Silence final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int /*line*/, int /*column*/, const std::string& /*message*/) override {}
};

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "potok-fuzz-XXXXXX") {
    POTOK_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

bool ReadMessage(const std::string& bytes, google::protobuf::Message* message) {
  if (bytes.empty() || bytes[0] != '#') return message->ParseFromString(bytes);
  Silence silence;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silence);
  // What arrives on the wire is UTF-8, which the text format does not ask for.
  return parser.ParseFromString(bytes, message) &&
         message->ParsePartialFromString(message->SerializePartialAsString());
}

const std::string& PrivateFolder() {
  static const Folder folder;
  return folder.path();
}

}  // namespace potok
