#include "agent/loop/disk_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace potok::agent {
namespace {

TEST(DiskRoomTest, SaysThatADiskIsFullAndWhatToDo) {
  const std::string text = FullDiskText("/tmp", std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(text, testing::StartsWith("the disk of /tmp has no room left ("));
  EXPECT_THAT(text, testing::EndsWith(" free): write less, or give the machine more room"));
}

TEST(DiskRoomTest, SaysNothingOfADiskThatHasRoomOrCannotBeAsked) {
  EXPECT_EQ(FullDiskText("/tmp", 0), "");
  EXPECT_EQ(FullDiskText("/absent/folder", std::numeric_limits<std::int64_t>::max()), "");
}

}  // namespace
}  // namespace potok::agent
