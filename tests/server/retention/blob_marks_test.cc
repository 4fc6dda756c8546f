#include "server/retention/blob_marks.h"

#include "gtest/gtest.h"

namespace potok::server {
namespace {

Digest Number(const std::string& kind, int i) {
  return DigestOf(kind + std::to_string(i));
}

TEST(BlobMarksTest, NeverForgetsOneAndSeldomTakesOneForAnother) {
  constexpr int kBlobs = 100'000;
  BlobMarks marks(kBlobs, /*salt=*/7);
  for (int i = 0; i < kBlobs; ++i) marks.Add(Number("in", i));
  int wrong = 0;
  for (int i = 0; i < kBlobs; ++i) {
    ASSERT_TRUE(marks.MayContain(Number("in", i)));
    wrong += marks.MayContain(Number("out", i)) ? 1 : 0;
  }
  EXPECT_LT(wrong, kBlobs / 500);
}

TEST(BlobMarksTest, TakesOtherBlobsForNamedOnesWithAnotherSalt) {
  constexpr int kBlobs = 100'000;
  BlobMarks one(kBlobs, /*salt=*/1);
  BlobMarks two(kBlobs, /*salt=*/2);
  for (int i = 0; i < kBlobs; ++i) {
    one.Add(Number("in", i));
    two.Add(Number("in", i));
  }
  int both = 0;
  for (int i = 0; i < 10 * kBlobs; ++i) {
    const Digest out = Number("out", i);
    both += one.MayContain(out) && two.MayContain(out) ? 1 : 0;
  }
  EXPECT_LT(both, 20);
}

TEST(BlobMarksTest, HoldsMoreThanItWasMadeFor) {
  BlobMarks marks(0, /*salt=*/7);
  for (int i = 0; i < 10'000; ++i) marks.Add(Number("in", i));
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(marks.MayContain(Number("in", i)));
}

}  // namespace
}  // namespace potok::server
