#include "server/rpc/resource_notes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

StepRow Completed(std::int64_t peak_bytes) {
  StepRow row;
  row.attempt = 1;
  row.state = Succeeded{1, {}};
  row.usage.emplace().peak_memory_bytes = peak_bytes;
  return row;
}

TEST(ResourceNotesTest, SaysHowMuchMemoryWouldHaveDone) {
  EXPECT_THAT(ResourceNotes(Completed(31 * kGiB / 10), {64 * kGiB}),
              ElementsAre("asked 64 GiB, peaked at 3.1 GiB: resources.memory could be 4 GiB"));
  EXPECT_THAT(ResourceNotes(Completed(100 * kMiB), {600 * kMiB}),
              ElementsAre("asked 600 MiB, peaked at 100 MiB: resources.memory could be 128 MiB"));
}

TEST(ResourceNotesTest, SaysNothingWhereLittleWouldBeSaved) {
  EXPECT_THAT(ResourceNotes(Completed(3 * kGiB), {7 * kGiB}), IsEmpty());
  EXPECT_THAT(ResourceNotes(Completed(10 * kMiB), {256 * kMiB}), IsEmpty());
  EXPECT_THAT(ResourceNotes(Completed(kGiB), {}), IsEmpty()) << "it asked for none";
  EXPECT_THAT(ResourceNotes(Completed(0), {64 * kGiB}), IsEmpty()) << "the peak is not known";
}

TEST(ResourceNotesTest, AdvisesOnlyOfStepsThatRanAndCompleted) {
  StepRow row = Completed(kGiB);
  row.state = Failed{1, {}};
  EXPECT_THAT(ResourceNotes(row, {64 * kGiB}), IsEmpty());
  row.state = Succeeded{0, {}, Reused{}};
  EXPECT_THAT(ResourceNotes(row, {64 * kGiB}), IsEmpty());
}

TEST(ResourceNotesTest, SaysWhyAnAttemptAsksForMore) {
  StepRow row;
  row.attempt = 1;
  row.state = Delayed{};
  row.raise = MemoryRaise{1, 512 * kMiB, 768 * kMiB};
  EXPECT_EQ(RaiseNote(row),
            "attempt 2 asks for 768 MiB memory, since attempt 1 ran out of its 512 MiB");
  row.attempt = 3;
  row.state = Running{};
  EXPECT_EQ(RaiseNote(row),
            "attempt 3 asks for 768 MiB memory, since attempt 1 ran out of its 512 MiB");
  row.state = Failed{};
  EXPECT_EQ(RaiseNote(row),
            "attempt 3 asked for 768 MiB memory, since attempt 1 ran out of its 512 MiB");
  row.attempt = 1;
  row.state = Canceled{};
  EXPECT_EQ(RaiseNote(row), "") << "there was no other attempt";
}

TEST(ResourceNotesTest, SaysWhatTheMachineHeldOfTheInputs) {
  StepRow row;
  EXPECT_EQ(HeldNote(row, "gpu-3"), "");
  row.held = HeldInputs{12 * kGiB, 13 * kGiB, false};
  EXPECT_EQ(HeldNote(row, "gpu-3"), "placed on gpu-3, which held 12 GiB of 13 GiB of its inputs");
  row.held->decided = true;
  EXPECT_EQ(HeldNote(row, "gpu-3"), "placed on gpu-3 for its inputs: it held 12 GiB of 13 GiB");
  EXPECT_EQ(HeldNote(row, ""), "") << "the machine is forgotten";
}

TEST(ResourceNotesTest, TellsOfAProcessThatWasEndedForItsMemory) {
  StepRow row = Completed(kGiB);
  row.usage->child_out_of_memory = true;
  EXPECT_THAT(ResourceNotes(row, {kGiB}),
              ElementsAre("the kernel ended one of its processes for want of memory; it asked for "
                          "1 GiB"));
}

TEST(MemoryToAskForTest, IsAQuarterMoreRoundedUpAsPeopleWriteIt) {
  EXPECT_EQ(MemoryToAskFor(1), 64 * kMiB);
  EXPECT_EQ(MemoryToAskFor(100 * kMiB), 128 * kMiB);
  EXPECT_EQ(MemoryToAskFor(900 * kMiB), 2 * kGiB);
  EXPECT_EQ(MemoryToAskFor(31 * kGiB / 10), 4 * kGiB);
  EXPECT_EQ(MemoryToAskFor(20 * kGiB), 28 * kGiB);
}

}  // namespace
}  // namespace potok::server
