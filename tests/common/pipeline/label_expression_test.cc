#include "common/pipeline/label_expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/pipeline/gpu_model.h"
#include "fmt/format.h"

namespace potok {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const LabelExpression::Labels kLabels = {{"driver", "535.104.05"},
                                         {"zone", "a"},
                                         {"cpus", "8"},
                                         {"memory", "68719476736"},
                                         {"gpu.model", "NVIDIA A100-SXM4-80GB, Tesla T4"},
                                         {"rack no", "7"},
                                         {"cuda", "12.2"}};

bool Matches(const std::string& text) {
  const auto expression = LabelExpression::Parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return expression.ok() && expression->Matches(kLabels);
}

std::string ErrorOf(const std::string& text) {
  return std::string(LabelExpression::Parse(text).status().message());
}

TEST(LabelExpressionTest, ComparesNumbersVersionsAndTexts) {
  EXPECT_TRUE(Matches("cpus >= 8"));
  EXPECT_TRUE(Matches("cpus == 8.0"));
  EXPECT_FALSE(Matches("cpus > 10"));
  EXPECT_TRUE(Matches("memory == 64GiB && memory < 65GiB && memory > 1GB"));
  EXPECT_TRUE(Matches("driver >= 535"));
  EXPECT_TRUE(Matches("driver > 535.54.3"));
  EXPECT_FALSE(Matches("driver >= 535.104.6"));
  EXPECT_TRUE(Matches("cuda == v12.2.0"));
  EXPECT_TRUE(Matches("zone != \"b\""));
  EXPECT_TRUE(Matches("zone < b"));
  EXPECT_TRUE(Matches("'rack no' == 7"));
}

TEST(LabelExpressionTest, ComparesAsOrdered) {
  EXPECT_EQ(CompareLabelValues("1.10", "1.9"), -1) << "two numbers";
  EXPECT_EQ(CompareLabelValues("1.10.0", "1.9"), 1) << "two versions";
  EXPECT_EQ(CompareLabelValues("2", "10"), -1);
  EXPECT_EQ(CompareLabelValues("2a", "10"), 1) << "texts";
  EXPECT_EQ(CompareLabelValues("1kib", "1024"), 0);
  EXPECT_EQ(CompareLabelValues("3g", "3"), 1) << "texts";
  EXPECT_EQ(CompareLabelValues("nan", "nan"), 0);
  EXPECT_EQ(CompareLabelValues("", ""), 0);
  EXPECT_EQ(CompareLabelValues("1.", "1..2"), -1) << "a number and a text";
}

TEST(LabelExpressionTest, JoinsComparisons) {
  EXPECT_TRUE(Matches(""));
  EXPECT_TRUE(Matches("zone == b || cpus == 8"));
  EXPECT_FALSE(Matches("zone == b or cpus == 9"));
  EXPECT_TRUE(Matches("zone == b && cpus == 9 || zone == a")) << "&& binds more than ||";
  EXPECT_FALSE(Matches("zone == b && (cpus == 9 || zone == a)"));
  EXPECT_TRUE(Matches("!(zone == b) and not has(ssd)"));
  EXPECT_TRUE(Matches("zone in (b, a)"));
  EXPECT_TRUE(Matches("zone not in (b, 'c d')"));
}

TEST(LabelExpressionTest, IsFalseOfALabelThatIsNotThere) {
  EXPECT_FALSE(Matches("ssd == true"));
  EXPECT_FALSE(Matches("ssd != true"));
  EXPECT_FALSE(Matches("ssd not in (true)"));
  EXPECT_FALSE(Matches("has(ssd)"));
  EXPECT_TRUE(Matches("has(zone)"));
  EXPECT_TRUE(Matches("!has(ssd)"));
}

TEST(LabelExpressionTest, FindsAModelAmongAllGpus) {
  EXPECT_TRUE(Matches("gpu.model in (H100, A100)"));
  EXPECT_TRUE(Matches("gpu.model == t4"));
  EXPECT_FALSE(Matches("gpu.model == A10"));
  EXPECT_FALSE(Matches("gpu.model != A100"));
  EXPECT_TRUE(IsGpuModel("NVIDIA GeForce RTX 4090", "rtx 4090"));
  EXPECT_FALSE(IsGpuModel("A100", ""));
}

TEST(LabelExpressionTest, SaysInWhichColumnWhatIsWrong) {
  EXPECT_EQ(ErrorOf("zone ="),
            "column 6: '=' is not understood; write for example gpu.model in (A100, H100) && "
            "driver >= 535 && zone != \"b\"");
  EXPECT_EQ(ErrorOf("zone == a &&"), "column 13: the end where the name of a label should be");
  EXPECT_EQ(ErrorOf("ssd"),
            "column 4: the end where ==, !=, <, <=, >, >= or 'in' after 'ssd' (or write has(ssd)) "
            "should be");
  EXPECT_EQ(ErrorOf("zone == a b"), "column 11: 'b' where '&&', '||' or the end should be");
  EXPECT_EQ(ErrorOf("(zone == a"), "column 11: the end where ')' should be");
  EXPECT_EQ(ErrorOf("zone in a"),
            "column 9: 'a' where '(' and the values to choose from should be");
  EXPECT_EQ(ErrorOf("zone in ()"),
            "column 10: ')' where a value (a word, a number or a 'text') should be");
  EXPECT_EQ(ErrorOf("8 == cpus"), "column 1: '8' where the name of a label should be");
  EXPECT_EQ(ErrorOf("zone == 'a"),
            "column 9: ''a' is not understood; write for example gpu.model in (A100, H100) && "
            "driver >= 535 && zone != \"b\"");
}

TEST(LabelExpressionTest, IsLimitedInLengthAndDepth) {
  EXPECT_EQ(ErrorOf(std::string(3000, 'a')), "it has 3000 bytes, and 2048 are allowed");
  const auto nested = [](std::size_t levels, char open) {
    return fmt::format("{}has(a)", std::string(levels, open));
  };
  EXPECT_EQ(ErrorOf(nested(21, '(')), "column 21: more than 20 levels; make it simpler");
  EXPECT_EQ(ErrorOf(nested(500, '!')), "column 21: more than 20 levels; make it simpler");
  EXPECT_EQ(ErrorOf(nested(20, '(') + std::string(20, ')')), "");
}

TEST(LabelExpressionTest, PrintsWhatParsesToTheSame) {
  for (const auto& [written, printed] : std::map<std::string, std::string>{
           {"a==b&&c<1", "a == b && c < 1"},
           {"a == b or (c == d || e == f)", "a == b || (c == d || e == f)"},
           {"(a == b or c == d) and e in (1,'x y')", "(a == b || c == d) && e in (1, \"x y\")"},
           {"not a == \"say \"\"hi\"\"\"", "!(a == \"say \"\"hi\"\"\")"},
           {"!!has('7')", "!!has(\"7\")"},
           {"'in' not in ('not')", "\"in\" not in (\"not\")"}}) {
    const auto expression = LabelExpression::Parse(written);
    ASSERT_TRUE(expression.ok()) << written << expression.status();
    EXPECT_EQ(expression->text(), printed);
    const auto again = LabelExpression::Parse(printed);
    ASSERT_TRUE(again.ok()) << printed << again.status();
    EXPECT_EQ(again->text(), printed);
    EXPECT_EQ(*again, *expression);
  }
}

TEST(LabelExpressionTest, BlamesTheComparisonsThatAreFalse) {
  const auto why = [](const std::string& text) {
    return LabelExpression::Parse(text)->WhyNot(kLabels);
  };
  EXPECT_THAT(why("zone == a && cpus == 8"), IsEmpty());
  EXPECT_THAT(why("zone == a && driver >= 550 && has(ssd)"),
              ElementsAre("driver >= 550 is false (driver is 535.104.05)",
                          "has(ssd) is false (there is no ssd)"));
  EXPECT_THAT(why("zone == b && cpus == 1 || cpus == 9"),
              ElementsAre("cpus == 9 is false (cpus is 8)"));
  EXPECT_THAT(why("!(zone == a)"), ElementsAre("!(zone == a) is false"));
}

TEST(LabelExpressionTest, ExactLabelsAreReadAsWritten) {
  EXPECT_EQ(LabelExpression::Parse(ExactLabels({{"zone", "b"}, {"disk", "nvme"}}))->text(),
            "disk == nvme && zone == b");
  const LabelExpression::Labels odd = {{"a b", "say \"x\" && y"}, {"zone", ""}};
  EXPECT_TRUE(LabelExpression::Parse(ExactLabels(odd))->Matches(odd));
  EXPECT_EQ(ExactLabels({}), "");
}

TEST(LabelExpressionTest, OfWhatCannotBeReadIsTrueOfNoMachine) {
  const LabelExpression never = LabelExpression::ParseOrNever("zone =");
  EXPECT_FALSE(never.Matches(kLabels));
  EXPECT_THAT(never.WhyNot(kLabels), ElementsAre("'zone =' cannot be read"));
  EXPECT_TRUE(LabelExpression().Matches({}));
}

}  // namespace
}  // namespace potok
