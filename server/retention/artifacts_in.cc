#include "server/retention/artifacts_in.h"

#include <google/protobuf/message.h>

#include <cstring>
#include <vector>

#include "common/base/status_macros.h"
#include "potok/journal/v1/journal.pb.h"
#include "potok/v1/pipeline.pb.h"

namespace potok::server {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::StatusOr<Artifact> ArtifactOf(const v1::Artifact& message) {
  POTOK_ASSIGN_OR_RETURN(const Digest digest,
                         ParseDigest(message.digest().hash(), message.digest().size_bytes()));
  return Artifact{digest, message.is_folder(), message.total_bytes(), message.file_name()};
}

absl::StatusOr<Artifact> ArtifactOf(const journal::v1::Artifact& message) {
  Artifact artifact;
  const std::string& sha256 = message.digest().sha256();
  if (sha256.size() != artifact.digest.sha256.size()) {
    return absl::DataLossError("a stored digest has not 32 bytes");
  }
  std::memcpy(artifact.digest.sha256.data(), sha256.data(), sha256.size());
  artifact.digest.size_bytes = message.digest().size_bytes();
  artifact.is_folder = message.is_folder();
  return artifact;
}

// True if `message` is an artifact itself.
absl::StatusOr<bool> SeeIfArtifact(const Message& message, const SeeArtifact& see) {
  if (const auto* of_api = dynamic_cast<const v1::Artifact*>(&message)) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, ArtifactOf(*of_api));
    POTOK_RETURN_IF_ERROR(see(artifact));
    return true;
  }
  if (const auto* of_journal = dynamic_cast<const journal::v1::Artifact*>(&message)) {
    POTOK_ASSIGN_OR_RETURN(const Artifact artifact, ArtifactOf(*of_journal));
    POTOK_RETURN_IF_ERROR(see(artifact));
    return true;
  }
  return false;
}

absl::Status Walk(const Message& message, const SeeArtifact& see);

absl::Status WalkField(const Message& message,
                       const FieldDescriptor* field,
                       const SeeArtifact& see) {
  const Reflection& reflection = *message.GetReflection();
  if (!field->is_repeated()) return Walk(reflection.GetMessage(message, field), see);
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    POTOK_RETURN_IF_ERROR(Walk(reflection.GetRepeatedMessage(message, field, i), see));
  }
  return absl::OkStatus();
}

// Messages are as deep as protobuf lets them be when it reads them: 100.
absl::Status Walk(const Message& message, const SeeArtifact& see) {  // NOLINT(misc-no-recursion)
  POTOK_ASSIGN_OR_RETURN(const bool is_artifact, SeeIfArtifact(message, see));
  if (is_artifact) return absl::OkStatus();
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    POTOK_RETURN_IF_ERROR(WalkField(message, field, see));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ArtifactsInSpec(const std::string& spec,
                             const SeeArtifact& see,
                             std::int64_t* retention_seconds) {
  v1::PipelineSpec message;
  if (!message.ParseFromString(spec)) {
    return absl::DataLossError("a stored pipeline cannot be read");
  }
  *retention_seconds = message.settings().retention_seconds();
  return Walk(message, see);
}

absl::Status ArtifactsInStepState(const std::string& state, const SeeArtifact& see) {
  journal::v1::StepState message;
  if (!message.ParseFromString(state)) {
    return absl::DataLossError("the stored state of a step cannot be read");
  }
  return Walk(message, see);
}

}  // namespace potok::server
