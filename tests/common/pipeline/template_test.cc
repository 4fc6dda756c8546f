#include "common/pipeline/template.h"

#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<TemplatePart> Parsed(const std::string& text, TemplatePlace place) {
  const auto parts = ParseTemplate(text, place);
  EXPECT_TRUE(parts.ok()) << parts.status();
  return parts.ok() ? *parts : std::vector<TemplatePart>();
}

TEST(ParseTemplateTest, ReadsEveryExpressionOfABinding) {
  const auto place = TemplatePlace::kBinding;
  EXPECT_THAT(Parsed("${{parent.inputs.a.b}}", place),
              ElementsAre(TemplatePart(Expression(ParentInput{"a.b"}))));
  EXPECT_THAT(Parsed("${{parent.outputs.m}}", place),
              ElementsAre(TemplatePart(Expression(ParentOutput{"m"}))));
  EXPECT_THAT(Parsed("${{parent.jobs.t.outputs.m.x}}", place),
              ElementsAre(TemplatePart(Expression(StepOutput{"t", "m.x"}))));
  EXPECT_THAT(Parsed("${{parent.jobs.sub/t.inputs.lr}}", place),
              ElementsAre(TemplatePart(Expression(StepInput{"sub/t", "lr"}))));
}

TEST(ParseTemplateTest, ReadsTheOldSpellingsInABinding) {
  const auto place = TemplatePlace::kBinding;
  EXPECT_EQ(Parsed("${{inputs.a}}", place), Parsed("${{parent.inputs.a}}", place));
  EXPECT_EQ(Parsed("${{outputs.a}}", place), Parsed("${{parent.outputs.a}}", place));
  EXPECT_EQ(Parsed("${{jobs.n.outputs.a}}", place), Parsed("${{parent.jobs.n.outputs.a}}", place));
}

TEST(ParseTemplateTest, AllowsBlanksAroundAName) {
  EXPECT_EQ(Parsed("${{ \t\n inputs.a  }}", TemplatePlace::kCommand),
            Parsed("${{inputs.a}}", TemplatePlace::kCommand));
}

TEST(ParseTemplateTest, CutsAConcatenationIntoParts) {
  EXPECT_THAT(Parsed("a_${{parent.inputs.x}}${{parent.inputs.y}}_b", TemplatePlace::kBinding),
              ElementsAre(TemplatePart("a_"),
                          TemplatePart(Expression(ParentInput{"x"})),
                          TemplatePart(Expression(ParentInput{"y"})),
                          TemplatePart("_b")));
}

TEST(ParseTemplateTest, LeavesOtherDollarsAndBracesAlone) {
  EXPECT_THAT(Parsed("", TemplatePlace::kBinding), IsEmpty());
  EXPECT_THAT(Parsed("$x ${x} {{y}} }} $", TemplatePlace::kCommand),
              ElementsAre(TemplatePart("$x ${x} {{y}} }} $")));
}

TEST(ParseTemplateTest, ReadsTheNamesOfAPath) {
  EXPECT_THAT(Parsed("azureml://datastores/${{default_datastore}}/paths/${{name}}/${{output_name}}",
                     TemplatePlace::kPath),
              ElementsAre(TemplatePart("azureml://datastores/"),
                          TemplatePart(Expression(Builtin{"default_datastore"})),
                          TemplatePart("/paths/"),
                          TemplatePart(Expression(Builtin{"name"})),
                          TemplatePart("/"),
                          TemplatePart(Expression(Builtin{"output_name"}))));
}

TEST(ParseTemplateTest, RefusesWhatThePlaceDoesNotKnowAndSaysWhatItDoes) {
  struct Case {
    const char* text;
    TemplatePlace place;
    const char* allowed;
  };
  const Case cases[] = {
      {"${{parent.inputs.x}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{search_space.lr}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{name}}", TemplatePlace::kBinding, "${{parent.inputs.NAME}}"},
      {"${{parent.jobs.a}}", TemplatePlace::kBinding, "${{parent.jobs.STEP.outputs.NAME}}"},
      {"${{parent.jobs..outputs.x}}", TemplatePlace::kBinding, "${{parent.inputs.NAME}}"},
      {"${{inputs.x}}", TemplatePlace::kPath, "${{output_name}}"},
      {"${{inputs.a b}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{inputs.}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{inputs.a..b}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{inputs.a-b}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
      {"${{}}", TemplatePlace::kCommand, "${{inputs.NAME}}"},
  };
  for (const Case& c : cases) {
    const auto parts = ParseTemplate(std::string("a ") + c.text, c.place);
    ASSERT_FALSE(parts.ok()) << c.text;
    EXPECT_THAT(std::string(parts.status().message()), HasSubstr(c.text));
    EXPECT_THAT(std::string(parts.status().message()), HasSubstr(c.allowed));
  }
}

TEST(ParseTemplateTest, RefusesAnExpressionThatIsNotClosed) {
  const auto parts = ParseTemplate("x ${{inputs.a} }", TemplatePlace::kCommand);
  EXPECT_THAT(std::string(parts.status().message()), HasSubstr("not closed"));
}

TEST(IsSingleExpressionTest, IsTrueOnlyForOneExpressionAlone) {
  EXPECT_TRUE(IsSingleExpression(Parsed("${{inputs.a}}", TemplatePlace::kBinding)));
  EXPECT_FALSE(IsSingleExpression(Parsed("${{inputs.a}} ", TemplatePlace::kBinding)));
  EXPECT_FALSE(IsSingleExpression(Parsed("a", TemplatePlace::kBinding)));
  EXPECT_FALSE(IsSingleExpression({}));
}

}  // namespace
}  // namespace potok
