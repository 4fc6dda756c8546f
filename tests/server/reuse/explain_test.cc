// What differs between two steps, field by field, in few words.
#include "server/reuse/explain.h"

#include "gmock/gmock.h"

namespace potok::server {
namespace {

using Kind = FingerprintField::Kind;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(CompareFieldsTest, SaysNothingOfEqualFields) {
  const std::vector<FingerprintField> fields = {{"command", Kind::kText, "run", ""},
                                                {"input d", Kind::kFile, "abc", "d.csv"}};
  EXPECT_THAT(CompareFields(fields, fields), IsEmpty());
}

TEST(CompareFieldsTest, NamesWhatChangedCameAndWent) {
  const auto differences = CompareFields({{"command", Kind::kText, "run", ""},
                                          {"input lr", Kind::kText, "0.1", ""},
                                          {"salt", Kind::kText, "1", ""}},
                                         {{"command", Kind::kText, "run", ""},
                                          {"input lr", Kind::kText, "0.2", ""},
                                          {"variable X", Kind::kText, "y", ""}});
  ASSERT_THAT(differences, SizeIs(3));
  EXPECT_EQ(differences[0].field, "input lr");
  EXPECT_EQ(differences[0].was, "0.1");
  EXPECT_EQ(differences[0].now, "0.2");
  EXPECT_EQ(differences[1].field, "variable X");
  EXPECT_EQ(differences[1].was, "");
  EXPECT_EQ(differences[1].now, "y");
  EXPECT_EQ(differences[2].field, "salt");
  EXPECT_EQ(differences[2].was, "1");
  EXPECT_EQ(differences[2].now, "");
}

TEST(CompareFieldsTest, ShowsTheFirstLineThatDiffers) {
  const auto differences = CompareFields({{"command", Kind::kText, "cd x\nmake a\nls", ""}},
                                         {{"command", Kind::kText, "cd x\nmake b\nls", ""}});
  ASSERT_THAT(differences, SizeIs(1));
  EXPECT_EQ(differences[0].was, "line 2: make a");
  EXPECT_EQ(differences[0].now, "line 2: make b");
}

TEST(CompareFieldsTest, ShowsThePlaceThatDiffersInALongLine) {
  const std::string common(500, 'x');
  const auto differences =
      CompareFields({{"environment", Kind::kText, common + "python=3.10" + common, ""}},
                    {{"environment", Kind::kText, common + "python=3.11" + common, ""}});
  ASSERT_THAT(differences, SizeIs(1));
  EXPECT_THAT(differences[0].was, HasSubstr("python=3.10"));
  EXPECT_THAT(differences[0].now, HasSubstr("python=3.11"));
  EXPECT_LT(differences[0].now.size(), 200U);
}

TEST(CompareFieldsTest, TellsAFileFromATextOfTheSameCharacters) {
  const auto differences = CompareFields({{"input d", Kind::kText, "abc", ""}},
                                         {{"input d", Kind::kFile, "abc", "d.csv"}});
  ASSERT_THAT(differences, SizeIs(1));
  EXPECT_EQ(differences[0].was, "abc");
  EXPECT_EQ(differences[0].now, "d.csv (sha256 abc)");
}

}  // namespace
}  // namespace potok::server
