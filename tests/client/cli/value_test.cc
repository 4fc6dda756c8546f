#include "client/cli/text/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/text/query.h"
#include "client/cli/text/table.h"

namespace potok::client {
namespace {

Value AJob() {
  return Value(Object{{"name", "brave_river"},
                      {"steps", 3},
                      {"done", false},
                      {"reason", Value()},
                      {"ratio", 0.5},
                      {"tags", Object{{"owner", "a \"b\"\n"}}},
                      {"services", Object{}},
                      {"pools", Array{Value("gpu"), Value("yes"), Value("12:30")}}});
}

TEST(ValueTest, IsWrittenAsJsonInTheOrderOfItsKeys) {
  EXPECT_EQ(ToJson(AJob()),
            R"({
  "name": "brave_river",
  "steps": 3,
  "done": false,
  "reason": null,
  "ratio": 0.5,
  "tags": {
    "owner": "a \"b\"\n"
  },
  "services": {},
  "pools": [
    "gpu",
    "yes",
    "12:30"
  ]
}
)");
}

TEST(ValueTest, IsWrittenAsYamlWithQuotesWhereAWordWouldMeanSomethingElse) {
  EXPECT_EQ(ToYaml(AJob()),
            R"(name: brave_river
steps: 3
done: false
reason: null
ratio: 0.5
tags:
  owner: "a \"b\"\n"
services: {}
pools:
  - gpu
  - "yes"
  - "12:30"
)");
}

TEST(ValueTest, WritesAListOfObjectsAsYaml) {
  const Value list(
      Array{Value(Object{{"a", 1}, {"b", Object{{"c", "x"}}}}), Value(Object{{"a", 2}})});
  EXPECT_EQ(ToYaml(list), "- a: 1\n  b:\n    c: x\n- a: 2\n");
}

TEST(ValueTest, ReplacesBytesThatAreNotUtf8InJson) {
  EXPECT_EQ(ToJson(Value(std::string("a\xff\x1b"))), "\"a\xEF\xBF\xBD\\u001b\"\n");
}

TEST(ValueTest, IsWrittenAsTabSeparatedScalarsAsAzDoes) {
  EXPECT_EQ(ToTsv(Value("x y")), "x y\n");
  EXPECT_EQ(ToTsv(Value(true)), "true\n");
  EXPECT_EQ(ToTsv(Value(Array{Value("a"), Value(), Value(false)})), "a\nNone\nfalse\n");
  const Value object(Object{{"n", "a"}, {"o", Object{{"x", 1}}}, {"l", Array{1, 2}}, {"b", true}});
  EXPECT_EQ(ToTsv(Value(Array{object})), "a\t\t2\tTrue\n");
}

TEST(TableTest, CutsTheWidestColumnUntilItFits) {
  const std::vector<std::vector<std::string>> rows = {{"a_rather_long_name", "Failed", "short"}};
  EXPECT_EQ(Table({"NAME", "STATE", "X"}, rows, {.columns = 24}),
            "NAME       STATE   X\n"
            "---------  ------  -----\n"
            "a_rather…  Failed  short\n");
  EXPECT_EQ(Table({"NAME", "STATE", "X"}, rows),
            "NAME                STATE   X\n"
            "------------------  ------  -----\n"
            "a_rather_long_name  Failed  short\n");
}

TEST(TableTest, ColoursCellsWithoutCountingTheColours) {
  TableStyle style;
  style.color = [](const std::string& heading, const std::string&) {
    return heading == "STATE" ? "\x1b[31m" : "";
  };
  EXPECT_EQ(Table({"NAME", "STATE", "X"}, {{"a", "Failed", "b"}}, style),
            "NAME  STATE   X\n"
            "----  ------  -\n"
            "a     \x1b[31mFailed\x1b[0m  b\n");
}

TEST(SpanTest, ReadsLengthsOfTime) {
  EXPECT_EQ(ParseSpan("90s").value(), absl::Seconds(90));
  EXPECT_EQ(ParseSpan("1d").value(), absl::Hours(24));
  EXPECT_EQ(ParseSpan("1w2d3h4m").value(), absl::Hours(9 * 24 + 3) + absl::Minutes(4));
  for (const char* wrong : {"", "3", "d", "1d2", "0s", "-1h", "1 d", "1.5h", "9999999999s"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSpan(wrong).status())) << wrong;
  }
}

struct QueryCase {
  const char* query;
  const char* json;
};

class QueryTest : public testing::TestWithParam<QueryCase> {};

TEST_P(QueryTest, FindsWhatItAsksFor) {
  const Value jobs(
      Array{Value(Object{{"name", "a"}, {"display_name", "train x"}, {"s", Object{{"u", 1}}}}),
            Value(Object{{"name", "b"}, {"display_name", "test"}, {"s", Object{}}})});
  const absl::StatusOr<Value> found = Query(jobs, GetParam().query);
  ASSERT_TRUE(found.ok()) << found.status();
  std::string json = ToJson(*found);
  json.erase(std::remove_if(json.begin(), json.end(), [](char c) { return c == ' ' || c == '\n'; }),
             json.end());
  EXPECT_EQ(json, GetParam().json);
}

INSTANTIATE_TEST_SUITE_P(
    AsScriptsUseIt,
    QueryTest,
    testing::Values(QueryCase{"[].name", R"(["a","b"])"},
                    QueryCase{"[0].name", R"("a")"},
                    QueryCase{"[-1].name", R"("b")"},
                    QueryCase{"[7].name", "null"},
                    QueryCase{"[0].s.u", "1"},
                    QueryCase{"[].s.u", "[1]"},
                    QueryCase{"[].{Name:name}", R"([{"Name":"a"},{"Name":"b"}])"},
                    QueryCase{"[0].{A:name,B:name,A:s.u}", R"({"A":1,"B":"a"})"},
                    QueryCase{"[?name=='b'].display_name", R"(["test"])"},
                    QueryCase{"[?name!='b'].name", R"(["a"])"},
                    QueryCase{"[?contains(display_name,'train')].name | [0]", R"("a")"},
                    QueryCase{"[?name=='z'].name", "[]"},
                    QueryCase{"[0].nothing.below", "null"}));

// Without the mark readers refuse it: a key on one line has at most 1,024 characters.
TEST(ValueTest, MarksAKeyThatIsTooLongForOneLine) {
  const std::string key(1100, 'k');
  EXPECT_EQ(ToYaml(Object{{"a", Object{{key, 1}}}}), "a:\n  ? " + key + "\n  : 1\n");
  EXPECT_EQ(ToYaml(Array{Object{{key, Array{1}}}}), "- ? " + key + "\n  :\n    - 1\n");
}

TEST(QueryTest, RefusesWhatItCannotRead) {
  for (const char* query : {"", "a..b", "[", "[?a", "a b", "[?a=='b", "{a}", "sort_by(@)"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Query(Value(Array{}), query).status())) << query;
  }
}

// A query of 120,000 characters, which one argument of a program can have, was a call for every
// other one and ended the program with SIGSEGV.
TEST(QueryTest, RefusesAQueryThatIsLongerThanTheStackIsDeep) {
  std::string query = "a";
  for (int i = 0; i < 60'000; ++i) query += ".a";
  const absl::StatusOr<Value> found = Query(Value(Object{}), query);
  ASSERT_TRUE(absl::IsInvalidArgument(found.status()));
  EXPECT_EQ(found.status().message(), "--query has 120001 characters, and at most 4096 are read");
}

// Each of these doubles what the one before it made, until there is no memory left.
TEST(QueryTest, RefusesToMakeMoreThanMemoryHolds) {
  std::string query = "@";
  for (int i = 0; i < 40; ++i) query += "|{a:@,b:@}";
  const absl::StatusOr<Value> found = Query(Value(1), query);
  ASSERT_TRUE(absl::IsInvalidArgument(found.status()));
  EXPECT_THAT(std::string(found.status().message()),
              testing::HasSubstr("would hold more than 5000000 values"));
}

}  // namespace
}  // namespace potok::client
