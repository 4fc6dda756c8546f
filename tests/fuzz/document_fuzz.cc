// What is registered, as JSON: a byte for its kind, a document, and after a zero byte another that
// it is compared with.
#include <nlohmann/json.hpp>

#include "common/pipeline/artifact_reference.h"
#include "common/rpc/utf8.h"
#include "server/registry/document.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

constexpr AssetKind kKinds[] = {AssetKind::kComponent,
                                AssetKind::kEnvironment,
                                AssetKind::kData,
                                AssetKind::kModel,
                                AssetKind::kDatastore};

// A document that may be stored is UTF-8, names artifacts that can be read, and can be changed.
void CheckStored(AssetKind kind, const std::string& document) {
  POTOK_CHECK(AsUtf8(document) == document);
  for (const std::string& text : ArtifactsIn(document)) POTOK_CHECK(IsArtifactReference(text));
  POTOK_CHECK(DifferencesOf(document, document, 10).empty());
  const std::string changed = WithText(document, "path", "somewhere/else");
  POTOK_CHECK(TextOf(changed, "path") == "somewhere/else");
  if (kind == AssetKind::kData || kind == AssetKind::kModel) {
    POTOK_CHECK(!TextOf(document, "path").empty());
    // Written anew it may be longer than what may be stored.
    if (changed.size() <= kDocumentBytesMax) POTOK_CHECK(CheckDocument(kind, changed).ok());
  }
}

// Two documents differ where they do not mean the same, whichever comes first.
void CheckDifferences(const std::string& one, const std::string& other) {
  const auto there = DifferencesOf(one, other, 100);
  const auto back = DifferencesOf(other, one, 100);
  POTOK_CHECK(there.size() == back.size());
  POTOK_CHECK(there.empty() == (nlohmann::json::parse(one) == nlohmann::json::parse(other)));
  for (std::size_t i = 0; i < there.size(); ++i) {
    POTOK_CHECK(there[i].where == back[i].where && there[i].before == back[i].after);
    POTOK_CHECK(AsUtf8(ToString(there[i])) == ToString(there[i]));
  }
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  if (size == 0) return 0;
  const AssetKind kind = kKinds[data[0] % std::size(kKinds)];
  const std::string bytes = potok::TextOf(data + 1, size - 1);
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  const std::string document = bytes.substr(0, zero);
  const absl::Status checked = CheckDocument(kind, document);
  if (!checked.ok()) {
    POTOK_CHECK(checked.code() == absl::StatusCode::kInvalidArgument);
    return 0;
  }
  CheckStored(kind, document);
  const std::string other = zero < bytes.size() ? bytes.substr(zero + 1) : "";
  if (CheckDocument(kind, other).ok()) CheckDifferences(document, other);
  return 0;
}
