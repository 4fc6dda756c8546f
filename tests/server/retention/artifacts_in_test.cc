#include "server/retention/artifacts_in.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "potok/v1/pipeline.pb.h"
#include "server/journal/codec.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void SetArtifact(const std::string& content, v1::Artifact& artifact) {
  const Digest digest = DigestOf(content);
  artifact.mutable_digest()->set_hash(digest.Hex());
  artifact.mutable_digest()->set_size_bytes(digest.size_bytes);
}

struct Seen {
  std::vector<Digest> digests;
  SeeArtifact see = [this](const Artifact& artifact) {
    digests.push_back(artifact.digest);
    return absl::OkStatus();
  };
};

TEST(ArtifactsInTest, FindsCodeAndInputsAlsoOfSteps) {
  v1::PipelineSpec spec;
  SetArtifact("input", *spec.add_inputs()->mutable_value()->mutable_artifact());
  v1::Step& step = *spec.add_steps();
  SetArtifact("code", *step.mutable_code());
  step.add_inputs()->mutable_value()->set_text("no artifact");
  v1::Step& inner = *step.mutable_control()->add_body();
  SetArtifact("code of a body", *inner.mutable_code());
  spec.mutable_settings()->set_retention_seconds(60);
  Seen seen;
  std::int64_t seconds = 0;
  ASSERT_TRUE(ArtifactsInSpec(spec.SerializeAsString(), seen.see, &seconds).ok());
  EXPECT_THAT(seen.digests,
              testing::UnorderedElementsAre(
                  DigestOf("input"), DigestOf("code"), DigestOf("code of a body")));
  EXPECT_EQ(seconds, 60);
}

TEST(ArtifactsInTest, FindsTheOutputsOfAStep) {
  Artifact artifact;
  artifact.digest = DigestOf("model");
  artifact.is_folder = true;
  Seen seen;
  const StepState done = Succeeded{1, {{"model", artifact}, {"score", std::string("1")}}};
  ASSERT_TRUE(ArtifactsInStepState(EncodeStepState(done), seen.see).ok());
  EXPECT_THAT(seen.digests, ElementsAre(DigestOf("model")));
}

TEST(ArtifactsInTest, RefusesWhatItCannotRead) {
  Seen seen;
  std::int64_t seconds = 0;
  EXPECT_TRUE(absl::IsDataLoss(ArtifactsInSpec("\xff", seen.see, &seconds)));
  EXPECT_TRUE(absl::IsDataLoss(ArtifactsInStepState("\xff", seen.see)));
  EXPECT_THAT(seen.digests, IsEmpty());
}

TEST(ArtifactsInTest, StopsWhenItIsToldTo) {
  v1::PipelineSpec spec;
  SetArtifact("input", *spec.add_inputs()->mutable_value()->mutable_artifact());
  std::int64_t seconds = 0;
  const absl::Status stopped = ArtifactsInSpec(
      spec.SerializeAsString(),
      [](const Artifact&) { return absl::CancelledError("stop"); },
      &seconds);
  EXPECT_TRUE(absl::IsCancelled(stopped));
}

}  // namespace
}  // namespace potok::server
