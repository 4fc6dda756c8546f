#include "common/pipeline/items.h"

#include "common/pipeline/json.h"
#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string ErrorOf(const std::string& json) {
  const auto items = ParseItems(json);
  return items.ok() ? "" : std::string(items.status().message());
}

TEST(ItemsTest, ReadsAListAndAMap) {
  const auto list =
      ParseItems(R"([{"lr": 1e-3, "n": "010"}, {"n": true, "lr": [1, {"a": null}]}])");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ((*list)[0].label, "0");
  EXPECT_THAT((*list)[0].values, ElementsAre(Pair("lr", "1e-3"), Pair("n", "010")));
  EXPECT_THAT((*list)[1].values, ElementsAre(Pair("lr", R"([1,{"a":null}])"), Pair("n", "True")));
  const auto map = ParseItems(R"( {"b": {"x": 1}, "a": {"x": 2}} )");
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ((*map)[0].label, "b");
  EXPECT_EQ((*map)[1].label, "a");
  EXPECT_THAT(*ParseItems("[]"), IsEmpty());
}

TEST(ItemsTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("item 0 is no map"));
  EXPECT_THAT(ErrorOf("3"), HasSubstr("items are a list of maps"));
  EXPECT_THAT(ErrorOf(R"([{"a": 1}, {"b": 1}])"), HasSubstr("item 1 has not the same keys"));
  EXPECT_THAT(ErrorOf(R"([{"a": 1, "a": 2}])"), HasSubstr("two values for 'a'"));
  EXPECT_THAT(ErrorOf(R"({"a": {}, "a": {}})"), HasSubstr("two items 'a'"));
  EXPECT_THAT(ErrorOf(R"([{"a": 1})"), HasSubstr("ends where"));
  EXPECT_THAT(ErrorOf(R"([{'a': 1}])"), HasSubstr("byte 3"));
  EXPECT_THAT(ErrorOf(std::string(1000, '[')), HasSubstr("nests too deeply"));
}

TEST(JsonTest, ReadsWhatItWrites) {
  for (const std::string text :
       {R"({"a":[1,-2.5e+3,true,false,null,"x\"\\"],"b":{}})", "[]", "0"}) {
    const auto node = ParseJson(text);
    ASSERT_TRUE(node.ok()) << text << ": " << node.status();
    EXPECT_EQ(CompactJson(*node), text);
  }
  EXPECT_EQ(ParseJson(R"("\u00e9\ud83d\ude00\n\/")")->text, "\u00e9\U0001F600\n/");
}

TEST(JsonTest, RefusesWhatIsNone) {
  for (const std::string text : {"",
                                 "01 ",
                                 "1.",
                                 "1e",
                                 "tru",
                                 "\"a",
                                 R"("\x")",
                                 R"("\ud800")",
                                 R"("\udc00")",
                                 R"("\ud800\u0041")",
                                 "[1,]",
                                 "{\"a\"}",
                                 "1 2",
                                 "\"a\nb\"",
                                 "nan"}) {
    EXPECT_FALSE(ParseJson(text).ok()) << text;
  }
}

}  // namespace
}  // namespace potok
