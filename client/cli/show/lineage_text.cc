#include "client/cli/show/lineage_text.h"

#include <utility>
#include <vector>

#include "client/cli/text/printable.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr char kSha256[] = "sha256:";

std::string DigestText(const v1::Artifact& artifact) {
  return fmt::format("sha256:{}/{}", artifact.digest().hash(), artifact.digest().size_bytes());
}

std::string Described(const v1::Artifact& artifact) {
  std::string text = DigestText(artifact);
  if (!artifact.file_name().empty()) text += " " + artifact.file_name();
  if (artifact.total_bytes() != 0) {
    text += fmt::format(
        " ({}{})", FormatBytes(artifact.total_bytes()), artifact.is_folder() ? " folder" : "");
  }
  return text;
}

void Ask(const Digest& digest, v1::LineageRequest* request) {
  request->mutable_artifact()->set_hash(digest.Hex());
  request->mutable_artifact()->set_size_bytes(digest.size_bytes);
}

template <class Uses>
Value UsesObject(const Uses& uses) {
  Array items;
  for (const v1::ArtifactUse& use : uses) {
    items.emplace_back(Object{{"run", use.run()},
                              {"step", use.step()},
                              {"port", use.port()},
                              {"status", NameOf(use.step_status())},
                              {"created_at", IsoTime(use.run_created_us())}});
  }
  return Value(std::move(items));
}

const char* WordOf(v1::LineageNode::Kind kind) {
  switch (kind) {
    case v1::LineageNode::KIND_STEP:
    case v1::LineageNode::KIND_SEEN:
      return "step";
    case v1::LineageNode::KIND_CODE:
      return "code";
    case v1::LineageNode::KIND_DATA:
      return "data";
    case v1::LineageNode::KIND_VALUE:
      return "value";
    default:
      return "unknown";
  }
}

Value OriginObject(const v1::LineageNode& node) {
  Object object = {{"depth", node.depth()}, {"kind", WordOf(node.kind())}};
  if (!node.port().empty()) object.emplace_back("port", node.port());
  if (!node.run().empty()) {
    object.emplace_back("run", node.run());
    object.emplace_back("step", node.step());
    object.emplace_back("output", node.output());
  }
  if (node.has_artifact()) object.emplace_back("artifact", DigestText(node.artifact()));
  if (!node.text().empty()) object.emplace_back("value", node.text());
  if (node.kind() == v1::LineageNode::KIND_SEEN) object.emplace_back("seen_above", true);
  return Value(std::move(object));
}

template <class Uses>
std::string UsesTable(const Uses& uses, absl::TimeZone zone, const TableStyle& style) {
  if (uses.empty()) return "  nothing that is known\n";
  std::vector<std::vector<std::string>> rows;
  for (const v1::ArtifactUse& use : uses) {
    rows.push_back({use.run(),
                    use.step(),
                    use.port(),
                    NameOf(use.step_status()),
                    LocalTime(use.run_created_us(), zone)});
  }
  return Table({"RUN", "STEP", "AS", "STATE", "SUBMITTED"}, rows, style);
}

std::string NodeLine(const v1::LineageNode& node) {
  std::string line(static_cast<std::size_t>(node.depth()) * 2, ' ');
  if (!node.port().empty()) line += node.port() + ": ";
  if (!node.run().empty()) {
    line += fmt::format("{}/{}/{}", node.run(), node.step(), node.output());
    if (node.kind() == v1::LineageNode::KIND_SEEN) line += ", as above";
  } else if (node.has_artifact()) {
    line += Described(node.artifact());
  } else {
    line += node.text();
  }
  return Printable(line) + "\n";
}

}  // namespace

absl::StatusOr<v1::LineageRequest> ParseLineageSubject(const std::string& text) {
  v1::LineageRequest request;
  if (IsArtifactReference(text)) {
    const absl::StatusOr<Artifact> artifact = ParseArtifactReference(text);
    if (!artifact.ok()) return artifact.status();
    Ask(artifact->digest, &request);
    return request;
  }
  if (text.rfind(kSha256, 0) == 0) {
    // As it is shown; the same text with another scheme.
    const absl::StatusOr<Artifact> artifact =
        ParseArtifactReference("potok-artifact:" + text.substr(sizeof(kSha256) - 1));
    if (!artifact.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' names no artifact; write sha256:HEX/BYTES, with the 64 hexadecimal "
                      "characters of its digest and its size, as `potok job show` has it",
                      text));
    }
    Ask(artifact->digest, &request);
    return request;
  }
  const std::size_t first = text.find('/');
  const std::size_t last = text.rfind('/');
  if (first == std::string::npos || first == 0 || last + 1 == text.size()) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no file here, and names no artifact; write RUN/STEP/OUTPUT, "
                    "RUN/OUTPUT for an output of the run itself, or sha256:HEX/BYTES",
                    text));
  }
  request.mutable_output()->set_run(text.substr(0, first));
  if (last != first) request.mutable_output()->set_step(text.substr(first + 1, last - first - 1));
  request.mutable_output()->set_output(text.substr(last + 1));
  return request;
}

Value LineageObject(const v1::LineageResponse& lineage) {
  Array origins;
  for (const v1::LineageNode& node : lineage.origins()) origins.push_back(OriginObject(node));
  return Value(Object{{"artifact", DigestText(lineage.artifact())},
                      {"made_by", UsesObject(lineage.made_by())},
                      {"used_by", UsesObject(lineage.used_by())},
                      {"origins", std::move(origins)},
                      {"origins_cut", lineage.origins_cut()}});
}

std::string LineageText(const v1::LineageResponse& lineage,
                        absl::TimeZone zone,
                        const TableStyle& style) {
  std::string text = "Artifact " + Printable(Described(lineage.artifact())) + "\n\nMade by\n";
  text += UsesTable(lineage.made_by(), zone, style);
  text += "\nUsed by\n" + UsesTable(lineage.used_by(), zone, style);
  if (lineage.origins().empty()) return text;
  text += "\nGoes back to\n";
  for (const v1::LineageNode& node : lineage.origins()) text += NodeLine(node);
  if (lineage.origins_cut()) text += "... and more\n";
  return text;
}

}  // namespace potok::client
