#include "common/pipeline/suggest.h"
#include "common/pipeline/validate.h"
#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::HasSubstr;

// What `text` is read as, or "refused".
std::string Read(const std::string& text, ValueType type) {
  const auto value = Coerce(text, type);
  return value.ok() ? *value : "refused";
}

std::string Problem(const std::string& text, const Input& port) {
  return std::string(CheckValue(text, port).message());
}

TEST(NamesTest, EveryTypeAndModeReadsBackFromItsName) {
  for (int i = 0; i <= static_cast<int>(ValueType::kTritonModel); ++i) {
    const auto type = static_cast<ValueType>(i);
    EXPECT_EQ(ParseValueType(NameOf(type)), type);
  }
  for (int i = 0; i <= static_cast<int>(Mode::kEvalDownload); ++i) {
    const auto mode = static_cast<Mode>(i);
    EXPECT_EQ(ParseMode(NameOf(mode)), mode);
  }
  EXPECT_EQ(ParseValueType("URI_FILE"), std::nullopt);
  EXPECT_EQ(ParseMode("mount"), Mode::kDefault);
}

TEST(CoerceTest, ReadsIntegers) {
  EXPECT_EQ(Read("10", ValueType::kInteger), "10");
  EXPECT_EQ(Read("10.0", ValueType::kInteger), "10");
  EXPECT_EQ(Read("1e3", ValueType::kInteger), "1000");
  EXPECT_EQ(Read("+5", ValueType::kInteger), "5");
  EXPECT_EQ(Read(" -007 ", ValueType::kInteger), "-7");
  EXPECT_EQ(Read("9223372036854775807", ValueType::kInteger), "9223372036854775807");
  for (const char* text :
       {"", "x", "1.5", "1 2", "+-5", "nan", "inf", "9223372036854775808", "1e300"}) {
    EXPECT_EQ(Read(text, ValueType::kInteger), "refused") << text;
  }
}

TEST(CoerceTest, KeepsTheTextOfNumbers) {
  for (const char* text : {"1", "1.0", "2e-5", "1e-3", "-.5", "inf", "1e400"}) {
    EXPECT_EQ(Read(text, ValueType::kNumber), text);
  }
  for (const char* text : {"", "x", "1.5x", "0x10", "1,5", "--1", "$(touch canary)"}) {
    EXPECT_EQ(Read(text, ValueType::kNumber), "refused") << text;
  }
}

TEST(CoerceTest, WritesBooleansInPythonsWords) {
  EXPECT_EQ(Read("true", ValueType::kBoolean), "True");
  EXPECT_EQ(Read("FALSE", ValueType::kBoolean), "False");
  for (const char* text : {"", "yes", "1", "0", "truee"}) {
    EXPECT_EQ(Read(text, ValueType::kBoolean), "refused") << text;
  }
}

TEST(CoerceTest, LeavesStringsAndPathsAlone) {
  EXPECT_EQ(Read(" a ", ValueType::kString), " a ");
  EXPECT_EQ(Read("https://x/y", ValueType::kUriFile), "https://x/y");
}

TEST(CheckValueTest, KeepsToLimitsAndChoices) {
  Input port;
  port.type = ValueType::kNumber;
  port.min = 0.5;
  port.max = 2.0;
  EXPECT_EQ(Problem("0.5", port), "");
  EXPECT_EQ(Problem("2", port), "");
  EXPECT_THAT(Problem("0.49", port), HasSubstr("below the minimum, 0.5"));
  EXPECT_THAT(Problem("2.01", port), HasSubstr("above the maximum, 2"));
  EXPECT_NE(Problem("nan", port), "");
  EXPECT_NE(Problem("fast", port), "");
  Input choice;
  choice.choices = {"a", "b"};
  EXPECT_EQ(Problem("a", choice), "");
  EXPECT_THAT(Problem("c", choice), HasSubstr("'c' is not one of a, b"));
}

TEST(SuggestTest, NamesTheNearestOrAllOfFew) {
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(SuggestionFor("trian", {"train", "test"}), "; did you mean 'train'?");
  EXPECT_EQ(SuggestionFor("zzz", {"train", "test"}), "; there are train, test");
  EXPECT_EQ(SuggestionFor("zzz", {"train"}), "; there is only train");
  EXPECT_EQ(SuggestionFor("zzz", {}), "; there are none");
  EXPECT_EQ(SuggestionFor("zzz", std::vector<std::string>(9, "train")), "");
}

}  // namespace
}  // namespace potok
