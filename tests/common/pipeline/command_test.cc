#include "common/pipeline/command.h"

#include <regex>

#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string Rendered(const std::string& command) {
  const auto rendered =
      RenderForShell(command, {{"x", "v"}, {"a.b", "w"}, {"n", "7"}}, {{"o", "/out"}});
  return rendered.ok() ? rendered->script : std::string(rendered.status().message());
}

// The message with which `command` is refused, or "rendered".
std::string Refusal(const std::string& command) {
  const auto rendered = RenderForShell(command, {{"x", "v"}}, {});
  return rendered.ok() ? "rendered" : std::string(rendered.status().message());
}

TEST(RenderForShellTest, QuotesAsThePlaceNeedsIt) {
  EXPECT_EQ(Rendered("run ${{inputs.x}} ${{outputs.o}}"),
            "run \"${POTOK_INPUT_x}\" \"${POTOK_OUTPUT_o}\"");
  EXPECT_EQ(Rendered("run \"a${{inputs.x}}\""), "run \"a${POTOK_INPUT_x}\"");
  EXPECT_EQ(Rendered("run 'a${{inputs.x}}'"), "run 'a'\"${POTOK_INPUT_x}\"''");
  EXPECT_EQ(Rendered("run $'a${{inputs.x}}'"), "run $'a'\"${POTOK_INPUT_x}\"$''");
  EXPECT_EQ(Rendered("cat <<EOF\n${{inputs.x}}\nEOF"), "cat <<EOF\n${POTOK_INPUT_x}\nEOF");
  EXPECT_EQ(Rendered("run --x=${{inputs.x}}/${{ inputs.a.b }}"),
            "run --x=\"${POTOK_INPUT_x}\"/\"${POTOK_INPUT_a__b}\"");
}

TEST(RenderForShellTest, RewritesAQuotedHereDocumentOnlyIfItHoldsAReference) {
  EXPECT_EQ(Rendered("cat <<'EOF'\n$x ${{inputs.x}}\nEOF"),
            "cat <<EOF\n\\$x ${POTOK_INPUT_x}\nEOF");
  EXPECT_EQ(Rendered("cat <<'EOF'; run ${{inputs.x}}\n$x\nEOF"),
            "cat <<'EOF'; run \"${POTOK_INPUT_x}\"\n$x\nEOF");
}

TEST(RenderForShellTest, ReturnsOnlyTheVariablesThatTheScriptReads) {
  const auto rendered = RenderForShell(
      "run ${{inputs.x}} # ${{inputs.y}}", {{"x", "v"}, {"y", "w"}, {"z", "u"}}, {{"o", "/out"}});
  ASSERT_TRUE(rendered.ok());
  EXPECT_THAT(rendered->environment, UnorderedElementsAre(Pair("POTOK_INPUT_x", "v")));
}

TEST(RenderForShellTest, GivesNamesThatDifferDifferentVariables) {
  const auto rendered = RenderForShell(
      "run ${{inputs.a.b}} ${{inputs.a__b}} ${{inputs.a.b_}}",
      {{"a.b", "dot"}, {"a__b", "underscores"}, {"a.b_", "both"}, {"a__b_", "unread"}},
      {});
  ASSERT_TRUE(rendered.ok());
  EXPECT_EQ(rendered->environment.size(), 3U);
  EXPECT_EQ(rendered->environment.at("POTOK_INPUT_a__b"), "underscores");
}

TEST(RenderForShellTest, LeavesACommandWithoutReferencesByteForByte) {
  for (const std::string command :
       {"", "a", "it's not closed", "$((1+", "cat <<'E F'\n`$x\nE F", "\\"}) {
    EXPECT_EQ(Rendered(command), command);
  }
}

TEST(RenderForShellTest, LeavesAllOtherTextByteForByte) {
  const std::string text =
      "set -e\nif [[ $x =~ ^a(b|c)$ && -n \"${y:-'}\" ]]; then\n  for f in *.{txt,md}; do echo"
      " \"$(cat \"$f\" | sed 's/\"/'\"'\"'/')\" `date` $'\\'' ${f%%.*} ${#f} $# $$ ${!f}; done\nfi"
      " # it's\ncase $x in (a|b) f() { :; } ;; c) cat <<-'A' <<B >&2 ;;\n\t$(\n\tA\n$(echo "
      "')')\nB\n"
      "esac 2>&1 >/dev/null &\n((i++)); let j=i; a=([0]=x \"${a[@]:1:2}\" $[1+(2)] $((1<<(2))))\n";
  EXPECT_EQ(Rendered(text + "run ${{inputs.x}}\n"), text + "run \"${POTOK_INPUT_x}\"\n");
  EXPECT_EQ(Rendered("run ${{inputs.x}}\n" + text), "run \"${POTOK_INPUT_x}\"\n" + text);
}

TEST(RenderForShellTest, RefusesTextInArithmetic) {
  for (const std::string command : {"echo $(( ${{inputs.x}} + 1 ))",
                                    "(( ${{inputs.x}} > 1 ))",
                                    "for ((i=0; i<${{inputs.x}}; i++)); do :; done",
                                    "echo $[${{inputs.x}}]",
                                    "echo \"$(( \"${{inputs.x}}\" ))\"",
                                    "echo $(( ${y:-${{inputs.x}}} ))",
                                    "echo ${a[${{inputs.x}}]}",
                                    "echo ${a:${{inputs.x}}}",
                                    "echo \"${a:1:${{inputs.x}}}\"",
                                    "a[${{inputs.x}}]=1",
                                    "a[\"${{inputs.x}}\"]=1",
                                    "a=([${{inputs.x}}]=1)",
                                    "unset a[b[0]+${{inputs.x}}]"}) {
    EXPECT_THAT(Refusal(command), AllOf(HasSubstr("${{inputs.x}}"), HasSubstr("computes")))
        << command;
  }
}

// Only a name before it, or the list of an array around it, makes a subscript of a bracket: a word
// that begins with one is a pattern of file names, and `[` alone is a command.
TEST(RenderForShellTest, TakesTextInBracketsThatComputeNothing) {
  for (const std::string command : {"echo [${{inputs.x}}]",
                                    "echo [a${{inputs.x}}] $(echo [${{inputs.x}}])",
                                    "[ ${{inputs.x}} = a ]",
                                    "[[ ${{inputs.x}} = a ]]",
                                    "a=($(echo [${{inputs.x}}]))"}) {
    EXPECT_TRUE(RenderForShell(command, {{"x", "10.99"}}, {}).ok()) << command;
  }
}

TEST(RenderForShellTest, TakesOnlyPlainWholeNumbersInArithmetic) {
  for (const std::string value : {"",
                                  "010",
                                  "0x10",
                                  "1.5",
                                  "1e3",
                                  "1+1",
                                  "a",
                                  "a[0]",
                                  "-",
                                  "--1",
                                  " 1",
                                  "1\n",
                                  "9999999999999999999"}) {
    EXPECT_FALSE(RenderForShell("echo $((${{inputs.x}}))", {{"x", value}}, {}).ok()) << value;
  }
  for (const std::string value : {"0", "10", "123456789012345678"}) {
    const auto rendered = RenderForShell("echo $((${{inputs.x}}))", {{"x", value}}, {});
    ASSERT_TRUE(rendered.ok()) << value;
    EXPECT_EQ(rendered->script, "echo $((" + value + "))");
  }
}

TEST(RenderForShellTest, ComputesNothingInASubstitutionInsideOfArithmetic) {
  EXPECT_EQ(Rendered("echo $(( $(wc -l < ${{inputs.x}}) + 1 ))"),
            "echo $(( $(wc -l < \"${POTOK_INPUT_x}\") + 1 ))");
}

TEST(RenderForShellTest, RefusesAReferenceAfterABackslashOrADollarSign) {
  for (const std::string command : {"echo \\${{inputs.x}}",
                                    "echo \"\\${{inputs.x}}\"",
                                    "echo $'\\${{inputs.x}}'",
                                    "cat <<EOF\n\\${{inputs.x}}\nEOF",
                                    "echo `echo \\${{inputs.x}}`"}) {
    EXPECT_THAT(Refusal(command), HasSubstr("remove the backslash")) << command;
  }
  for (const std::string command :
       {"echo $${{inputs.x}}", "echo \"$${{inputs.x}}\"", "cat <<EOF\n$${{inputs.x}}\nEOF"}) {
    EXPECT_THAT(Refusal(command), HasSubstr("write \\$ for a dollar sign")) << command;
  }
}

TEST(RenderForShellTest, RefusesAReferenceAsAName) {
  EXPECT_THAT(Refusal("echo ${${{inputs.x}}}"), HasSubstr("name a variable"));
  EXPECT_THAT(Refusal("echo ${!${{inputs.x}}}"), HasSubstr("name a variable"));
  EXPECT_THAT(Refusal("echo ${a${{inputs.x}}}"), HasSubstr("name a variable"));
  EXPECT_THAT(Refusal("cat <<${{inputs.x}}\n"), HasSubstr("delimiter has to be a plain word"));
}

TEST(RenderForShellTest, RefusesOperatorsThatAreSplitByAContinuedLine) {
  for (const std::string command : {"echo $\\\n(( ${{inputs.x}} ))",
                                    "echo $(\\\n( ${{inputs.x}} ))",
                                    "(\\\n( ${{inputs.x}} ))",
                                    "cat <\\\n<'EOF'\n${{inputs.x}}\nEOF",
                                    "echo \"$\\\n${{inputs.x}}\""}) {
    EXPECT_NE(Refusal(command), "rendered") << command;
  }
  EXPECT_EQ(Rendered("x=$(\\\nrun ${{inputs.x}})"), "x=$(\\\nrun \"${POTOK_INPUT_x}\")");
}

TEST(RenderForShellTest, RefusesWhatIsNotClosed) {
  for (const std::string command : {"echo ${{inputs.x}} '",
                                    "echo ${{inputs.x}} \"",
                                    "echo ${{inputs.x}} $(",
                                    "echo ${{inputs.x}} `",
                                    "echo ${{inputs.x}} ${a",
                                    "echo ${{inputs.x}} $((1",
                                    "echo ${{inputs.x}} (",
                                    "x=$(cat <<EOF ${{inputs.x}})"}) {
    EXPECT_THAT(Refusal(command), HasSubstr("not closed")) << command;
  }
  EXPECT_THAT(Refusal("echo ${{inputs.x"), HasSubstr("not closed"));
}

TEST(RenderForShellTest, RefusesEndlessNesting) {
  std::string command;
  for (int i = 0; i < 20'000; ++i) command += "$(";
  EXPECT_THAT(Refusal(command + "${{inputs.x}}"), HasSubstr("nests more than"));
  command.clear();
  for (int i = 0; i < 20'000; ++i) command += "${a:-\"";
  EXPECT_THAT(Refusal(command + "${{inputs.x}}"), HasSubstr("nests more than"));
  command.clear();
  for (int i = 0; i < 20'000; ++i) command += "$((";
  EXPECT_THAT(Refusal(command + "${{inputs.x}}"), HasSubstr("nests more than"));
}

TEST(RenderForShellTest, RefusesValuesThatNoProgramCanBeGiven) {
  const auto zero = RenderForShell("run ${{inputs.x}}", {{"x", std::string("a\0b", 3)}}, {});
  EXPECT_THAT(std::string(zero.status().message()), HasSubstr("zero byte"));
  const auto large = RenderForShell("run ${{inputs.x}}", {{"x", std::string(200'000, 'a')}}, {});
  EXPECT_THAT(std::string(large.status().message()), HasSubstr("200000 bytes"));
}

TEST(RenderForShellTest, RefusesACommandThatIsTooLongForOneArgument) {
  EXPECT_THAT(Refusal(std::string(200'000, 'a')), HasSubstr("put it into a file"));
}

TEST(RenderForShellTest, RefusesAnUndeclaredOutput) {
  EXPECT_THAT(Refusal("run ${{outputs.q}}"), HasSubstr("declare the output 'q'"));
}

TEST(OptionalBlocksTest, KeepsABlockWhoseInputsAllHaveAValue) {
  const std::string command =
      "run $[[--a ${{inputs.a}} --b ${{inputs.b}}]] $[[--c ${{inputs.c}}]]end";
  EXPECT_EQ(*ResolveOptionalBlocks(command, {"a", "b"}),
            "run --a ${{inputs.a}} --b ${{inputs.b}} end");
  EXPECT_EQ(*ResolveOptionalBlocks(command, {"a", "c"}), "run  --c ${{inputs.c}}end");
  EXPECT_EQ(*ResolveOptionalBlocks(command, {}), "run  end");
}

TEST(OptionalBlocksTest, LeavesTestsAndRegularExpressionsAlone) {
  for (const std::string command :
       {"[[ -n $x ]] && run", "sed '/x$[[:space:]]/d' ${{inputs.a}}", "$[1+1]", "a]]b"}) {
    EXPECT_EQ(*ResolveOptionalBlocks(command, {}), command);
  }
}

TEST(OptionalBlocksTest, RefusesABlockThatIsNotClosedOrNested) {
  EXPECT_THAT(std::string(ResolveOptionalBlocks("run $[[--a", {}).status().message()),
              HasSubstr("not closed"));
  EXPECT_THAT(std::string(ResolveOptionalBlocks("$[[a $[[b]] c]]", {}).status().message()),
              HasSubstr("holds another"));
}

TEST(ReferencesOfTest, TellsInputsFromOutputsAndWhatIsOptional) {
  const auto references =
      ReferencesOf("run ${{ inputs.a.b }} $[[--c ${{inputs.c}}]] ${{outputs.o}} ${{inputs.c}}");
  ASSERT_TRUE(references.ok());
  std::string seen;
  for (const CommandReference& reference : *references) {
    seen += reference.name + (reference.is_output ? " output" : "") +
            (reference.in_optional_block ? " optional" : "") + ";";
  }
  EXPECT_EQ(seen, "a.b;c optional;o output;c;");
  EXPECT_FALSE(ReferencesOf("run ${{parent.inputs.x}}").ok());
}

}  // namespace
}  // namespace potok
