// Short texts with a grammar: names of blobs, datastores, runs and hosts, cookies, amounts. The
// first byte says which.
#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "common/base/resources.h"
#include "common/pipeline/value.h"
#include "fmt/format.h"
#include "server/artifacts/datastore_uri.h"
#include "server/http/access.h"
#include "server/http/visitor.h"
#include "server/rpc/cas/resource_name.h"
#include "server/rpc/run_name.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

// One blob has one name.
void CheckBlobNames(const std::string& name) {
  if (const auto digest = ParseReadName(name); digest.ok()) {
    POTOK_CHECK(name == fmt::format("blobs/{}/{}", digest->Hex(), digest->size_bytes));
  }
  if (const auto upload = ParseWriteName(name); upload.ok()) {
    POTOK_CHECK(name == fmt::format("uploads/{}/blobs/{}/{}",
                                    upload->upload_id,
                                    upload->digest.Hex(),
                                    upload->digest.size_bytes));
  }
}

void CheckDatastoreUri(const std::string& uri) {
  const auto place = ParseDatastoreUri(uri);
  if (!place.ok()) return;
  POTOK_CHECK(!place->parts.empty() && place->datastore.find('/') == std::string::npos);
  for (const std::string& part : place->parts) {
    POTOK_CHECK(!part.empty() && part != "." && part != "..");
    POTOK_CHECK(part.find('/') == std::string::npos && part.find('\0') == std::string::npos);
  }
}

// Lines of "NAME: value" for the four headers. Nobody who does not know the token comes in.
void CheckVisitor(const std::string& text) {
  static const std::unique_ptr<Access> access =
      Access::Open(PrivateFolder() + "/http.token").value();
  Visitor visitor;
  std::string* const fields[] = {
      &visitor.host, &visitor.origin, &visitor.authorization, &visitor.cookie};
  std::size_t at = 0;
  for (std::string* field : fields) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    *field = text.substr(std::min(at, text.size()), end - at);
    at = end + 1;
  }
  POTOK_CHECK(!MayEnter(visitor, *access, absl::Now()).ok());
  IsLoopbackHost(visitor.host);
  // With the token everybody comes in who does not come from another page.
  std::ifstream file(PrivateFolder() + "/http.token");
  std::string token;
  file >> token;
  POTOK_CHECK(access->IsToken("Bearer " + token));
  POTOK_CHECK(access->TakeCode(text, absl::Now()).empty());
}

void CheckAmounts(const std::string& text) {
  ParseNumber(text);
  if (const auto bytes = ParseBytes(text); bytes.ok()) POTOK_CHECK(*bytes >= 0);
  if (CheckRunName(text).ok()) POTOK_CHECK(text.find('/') == std::string::npos);
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  if (size == 0) return 0;
  const std::string text = TextOf(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      CheckBlobNames(text);
      break;
    case 1:
      CheckDatastoreUri(text);
      break;
    case 2:
      CheckVisitor(text);
      break;
    default:
      CheckAmounts(text);
  }
  return 0;
}
