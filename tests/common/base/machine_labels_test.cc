#include "common/base/machine_labels.h"

#include "gmock/gmock.h"

namespace potok {
namespace {

using testing::HasSubstr;

std::string Complaint(const absl::Status& status) {
  return std::string(status.message());
}

TEST(MachineLabelsTest, NamesAreShortPlainWords) {
  for (const char* name : {"zone", "a", "9", "node.example/disk_type-2"}) {
    EXPECT_TRUE(CheckMachineLabelName(name).ok()) << name;
  }
  for (const char* name : {"", "-zone", ".zone", "two words", "a=b", "caf\xc3\xa9"}) {
    EXPECT_THAT(Complaint(CheckMachineLabelName(name)), HasSubstr("is no name for a label"))
        << name;
  }
  EXPECT_TRUE(CheckMachineLabelName(std::string(63, 'a')).ok());
  EXPECT_THAT(Complaint(CheckMachineLabelName(std::string(100'000, 'a'))), HasSubstr("aaa...'"));
}

TEST(MachineLabelsTest, ValuesAreOneLineOfText) {
  EXPECT_TRUE(CheckMachineLabel("zone", "").ok());
  EXPECT_TRUE(CheckMachineLabel("note", "a=b, z\xc3\xbcrich").ok());
  EXPECT_THAT(Complaint(CheckMachineLabel("note", "a\nb")), HasSubstr("control characters"));
  EXPECT_EQ(Complaint(CheckMachineLabel("note", std::string(256, 'x'))),
            "the value of label 'note' has 256 bytes; 255 fit");
}

TEST(MachineLabelsTest, AMachineCarriesSixtyFour) {
  std::map<std::string, std::string> labels;
  for (int i = 0; i < 64; ++i) labels["l" + std::to_string(i)] = "x";
  EXPECT_TRUE(CheckMachineLabels(labels).ok());
  for (int i = 0; i < 10'000; ++i) labels["l" + std::to_string(i)] = "x";
  EXPECT_EQ(Complaint(CheckMachineLabels(labels)), "a machine carries up to 64 labels, not 10000");
}

}  // namespace
}  // namespace potok
