#include "common/pipeline/when.h"

#include <map>

#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr StepOutcome kPending = StepOutcome::kPending;
constexpr StepOutcome kSucceeded = StepOutcome::kSucceeded;
constexpr StepOutcome kFailed = StepOutcome::kFailed;
constexpr StepOutcome kCanceled = StepOutcome::kCanceled;
constexpr StepOutcome kSkipped = StepOutcome::kSkipped;

// Steps ok, bad, gone (skipped), late (pending), with outputs; all of them upstreams but `late`.
struct World {
  std::map<std::string, StepOutcome> steps = {
      {"ok", kSucceeded}, {"bad", kFailed}, {"gone", kSkipped}, {"late", kPending}};
  std::map<std::string, std::string> outputs = {{"ok.flag", "True"},
                                                {"ok.off", "False"},
                                                {"ok.score", "0.75"},
                                                {"ok.count", "10"},
                                                {"ok.name", "it's"},
                                                {"late.early", "1"}};
  std::map<std::string, std::string> inputs = {{"mode", "fast"}, {"limit", "0.5"}};
  std::vector<StepOutcome> upstreams = {kSucceeded};

  Verdict Of(const std::string& text) const {
    const absl::StatusOr<When> when = When::Parse(text);
    EXPECT_TRUE(when.ok()) << when.status();
    if (!when.ok()) return Verdict::kWait;
    const auto find = [](const auto& map, const std::string& key) {
      const auto found = map.find(key);
      return found == map.end() ? std::nullopt : std::optional(found->second);
    };
    return when->Evaluate(
        {upstreams,
         [&](const std::string& step) { return find(steps, step).value_or(kPending); },
         [&](const std::string& step, const std::string& output) {
           return find(outputs, step + "." + output);
         },
         [&](const std::string& input) { return find(inputs, input); }});
  }
};

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<When> when = When::Parse(text);
  return when.ok() ? "" : std::string(when.status().message());
}

TEST(WhenTest, JudgesEveryTriggerRuleOverWhatHasEnded) {
  using Outcomes = std::vector<StepOutcome>;
  const std::vector<Outcomes> worlds = {{},
                                        {kSucceeded, kSucceeded},
                                        {kSucceeded, kFailed},
                                        {kFailed, kCanceled},
                                        {kSkipped, kSucceeded},
                                        {kSkipped, kSkipped},
                                        {kSkipped, kFailed},
                                        {kPending, kSucceeded},
                                        {kPending, kFailed},
                                        {kPending, kSkipped}};
  // One letter for each world: run, skip, wait.
  const std::map<std::string, std::string> expected = {
      {"all_success", "rrssssswss"},
      {"all_failed", "rssrssssws"},
      {"all_done", "rrrrrrrwww"},
      {"one_success", "rrrsrssrww"},
      {"one_failed", "rsrrssrwrw"},
      {"one_done", "rrrrrsrrrw"},
      {"none_failed", "rrssrrswsw"},
      {"none_failed_min_one_success", "rrssrsswsw"},
      {"none_skipped", "rrrrssswws"},
      {"all_skipped", "rssssrsssw"},
      {"always", "rrrrrrrwww"}};
  for (const auto& [name, letters] : expected) {
    const std::optional<TriggerRule> rule = ParseTriggerRule(name);
    ASSERT_TRUE(rule.has_value());
    EXPECT_EQ(NameOf(*rule), name);
    for (std::size_t i = 0; i < worlds.size(); ++i) {
      const Verdict wanted = letters[i] == 'r'   ? Verdict::kRun
                             : letters[i] == 'w' ? Verdict::kWait
                                                 : Verdict::kSkip;
      EXPECT_EQ(Judge(*rule, worlds[i]), wanted) << name << ", world " << i;
    }
  }
}

TEST(WhenTest, ReadsARuleByItsNameAndNothingAsAllSuccess) {
  World world;
  world.upstreams = {kFailed};
  EXPECT_EQ(world.Of(""), Verdict::kSkip);
  EXPECT_EQ(world.Of(" all_done "), Verdict::kRun);
  EXPECT_EQ(world.Of("one_failed"), Verdict::kRun);
}

TEST(WhenTest, ComparesStatesOutputsAndInputs) {
  const World world;
  for (const char* text : {"jobs.ok.status == 'Completed'",
                           "jobs.bad.status == \"Failed\" and jobs.gone.status == 'Skipped'",
                           "jobs.ok.outputs.score > 0.7",
                           "jobs.ok.outputs.score >= inputs.limit",
                           "jobs.ok.outputs.count == 10.0",
                           "jobs.ok.outputs.count == 1e+1",
                           "jobs.ok.outputs.flag",
                           "jobs.ok.outputs.flag == true",
                           "not jobs.ok.outputs.off",
                           "jobs.ok.outputs.name == 'it''s'",
                           "inputs.mode != 'slow' && !(inputs.mode == 'slow' || false)",
                           "inputs.absent == null",
                           "jobs.bad.outputs.x == null",
                           "${{parent.jobs.ok.outputs.score}} < 1",
                           "${{ parent.inputs.mode == 'fast' }}"}) {
    EXPECT_EQ(world.Of(text), Verdict::kRun) << text;
  }
  for (const char* text : {"jobs.ok.status == 'Failed'",
                           "jobs.ok.outputs.score > 'x'",
                           "inputs.mode > 3",
                           "inputs.absent",
                           "inputs.absent < 3",
                           "jobs.ok.outputs.off"}) {
    EXPECT_EQ(world.Of(text), Verdict::kSkip) << text;
  }
}

TEST(WhenTest, AsksForStatesByFunctions) {
  World world;
  world.upstreams = {kFailed};
  for (const char* text : {"succeeded(ok)",
                           "failed(bad)",
                           "failed('bad')",
                           "failed(jobs.bad)",
                           "skipped(gone) and done(gone)",
                           "always()",
                           "not canceled(ok)",
                           "one_failed() and inputs.mode == 'fast'"}) {
    EXPECT_EQ(world.Of(text), Verdict::kRun) << text;
  }
  EXPECT_EQ(world.Of("all_success()"), Verdict::kSkip);
}

TEST(WhenTest, HoldsBesideAllSuccessIfNoStateIsLookedAt) {
  World world;
  EXPECT_EQ(world.Of("inputs.mode == 'fast'"), Verdict::kRun);
  world.upstreams = {kPending};
  EXPECT_EQ(world.Of("inputs.mode == 'fast'"), Verdict::kWait);
  EXPECT_EQ(world.Of("inputs.mode == 'slow'"), Verdict::kSkip);
  world.upstreams = {kFailed};
  EXPECT_EQ(world.Of("inputs.mode == 'fast'"), Verdict::kSkip);
  EXPECT_EQ(world.Of("inputs.mode == 'fast' and always()"), Verdict::kRun);
}

TEST(WhenTest, WaitsOnlyForWhatStillDecides) {
  const World world;
  EXPECT_EQ(world.Of("failed(late)"), Verdict::kWait);
  EXPECT_EQ(world.Of("not failed(late)"), Verdict::kWait);
  EXPECT_EQ(world.Of("failed(late) or succeeded(ok)"), Verdict::kRun);
  EXPECT_EQ(world.Of("failed(late) and failed(ok)"), Verdict::kSkip);
  EXPECT_EQ(world.Of("jobs.late.outputs.score > 1"), Verdict::kWait);
  EXPECT_EQ(world.Of("jobs.late.outputs.early == 1"), Verdict::kRun);
  EXPECT_EQ(world.Of("jobs.late.status == 'Failed'"), Verdict::kWait);
}

TEST(WhenTest, BindsAndTighterThanOrAndNotTightest) {
  const World world;
  EXPECT_EQ(world.Of("true or false and false"), Verdict::kRun);
  EXPECT_EQ(world.Of("(true or false) and false"), Verdict::kSkip);
  EXPECT_EQ(world.Of("not false and true"), Verdict::kRun);
  EXPECT_EQ(world.Of("not inputs.mode == 'fast'"), Verdict::kSkip);
}

TEST(WhenTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("jobs.a.status = 'x'"), HasSubstr("'= 'x'' is not understood"));
  EXPECT_THAT(ErrorOf("failed("), HasSubstr("has the end where the name of a step"));
  EXPECT_THAT(ErrorOf("failed()"), HasSubstr("has ')' where the name of a step"));
  EXPECT_THAT(ErrorOf("fail(a)"), HasSubstr("no function 'fail'"));
  EXPECT_THAT(ErrorOf("al_done"), HasSubstr("'al_done' is not understood"));
  EXPECT_THAT(ErrorOf("jobs.a"), HasSubstr("'jobs.a' is not understood"));
  EXPECT_THAT(ErrorOf("jobs.A.status == 'Failed'"), HasSubstr("'jobs.A.status'"));
  EXPECT_THAT(ErrorOf("true true"), HasSubstr("has 'true' where and, or"));
  EXPECT_THAT(ErrorOf("true and"), HasSubstr("has the end where a value should be"));
  EXPECT_THAT(ErrorOf("'open"), HasSubstr("''open' is not understood"));
  EXPECT_THAT(ErrorOf("1.2.3 == 1"), HasSubstr("where a number should be"));
  EXPECT_THAT(ErrorOf(std::string(5000, '(')), HasSubstr("nests more than 100 levels"));
  EXPECT_THAT(ErrorOf(std::string(70'000, ' ')), HasSubstr("70000 bytes"));
}

TEST(WhenTest, NamesAndReplacesWhatItRefersTo) {
  const When when =
      *When::Parse("failed( a ) or jobs.b.outputs.x == inputs.y and jobs.a.status == 'Failed'");
  EXPECT_THAT(when.Steps(), ElementsAre("a", "b"));
  const std::string text = when.Rewritten([](const WhenReference& reference) -> std::string {
    switch (reference.kind) {
      case WhenReference::Kind::kState:
        return reference.function + "(in/" + reference.step + ")";
      case WhenReference::Kind::kStatus:
        return "jobs.in/" + reference.step + ".status";
      case WhenReference::Kind::kOutput:
        return "jobs.in/" + reference.step + ".outputs." + reference.port;
      case WhenReference::Kind::kInput:
        return "'z'";
    }
    return "";
  });
  EXPECT_EQ(text, "failed(in/a) or jobs.in/b.outputs.x == 'z' and jobs.in/a.status == 'Failed'");
  EXPECT_THAT(When::Parse(text)->Steps(), ElementsAre("in/a", "in/b"));
  EXPECT_THAT(When::Parse("all_done")->Steps(), IsEmpty());
}

std::string TypeErrorOf(const std::string& text) {
  const absl::Status status =
      When::Parse(text)->CheckTypes([](const WhenReference& reference) -> std::optional<ValueType> {
        if (reference.port == "flag") return ValueType::kBoolean;
        if (reference.port == "score") return ValueType::kNumber;
        if (reference.port == "name") return ValueType::kString;
        return std::nullopt;
      });
  return std::string(status.message());
}

TEST(WhenTest, JoinsTwoConditions) {
  EXPECT_EQ(BothWhen("", "b"), "b");
  EXPECT_EQ(BothWhen(" all_done ", "b"), "all_done() and b");
  EXPECT_EQ(BothWhen("a or c", "b"), "(a or c) and b");
}

TEST(WhenTest, ChecksTypesBeforeAnythingRuns) {
  for (const char* text : {"all_done",
                           "inputs.flag and not jobs.a.outputs.flag",
                           "inputs.score > 1 or inputs.name == 'x'",
                           "inputs.unknown",
                           "inputs.name == null",
                           "jobs.a.status != 'Canceled'"}) {
    EXPECT_EQ(TypeErrorOf(text), "") << text;
  }
  EXPECT_THAT(TypeErrorOf("inputs.score"), HasSubstr("a number stands where true or false"));
  EXPECT_THAT(TypeErrorOf("not inputs.name"), HasSubstr("a text stands where true or false"));
  EXPECT_THAT(TypeErrorOf("jobs.a.status and true"), HasSubstr("a state stands where"));
  EXPECT_THAT(TypeErrorOf("inputs.score == 'x'"), HasSubstr("a number is compared with a text"));
  EXPECT_THAT(TypeErrorOf("inputs.flag > true"), HasSubstr("only numbers and texts have an order"));
  EXPECT_THAT(TypeErrorOf("jobs.a.status == 'Succeeded'"), HasSubstr("one of 'Completed'"));
  EXPECT_THAT(TypeErrorOf("jobs.a.status == 3"), HasSubstr("one of 'Completed'"));
}

}  // namespace
}  // namespace potok
