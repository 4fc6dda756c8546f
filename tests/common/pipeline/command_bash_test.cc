// What the real bash makes of rendered commands: every hostile value in every place arrives as it
// is, and nothing in it runs.
#include <functional>

#include "common/pipeline/command.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/common/pipeline/bash_fixture.h"
#include "tests/common/pipeline/hostile_values.h"

namespace potok {
namespace {

using Expected = std::function<std::string(const std::string&)>;

// A place of a reference, and what the command writes to $OUT for a value. Arguments are written
// each with a '|' behind it.
struct Place {
  std::string name;
  std::string command;
  Expected expected;
};

// The command `args WORDS` with the words' expected form.
Place Words(const std::string& name, const std::string& words, const Expected& expected) {
  return {name, "printf '%s|' " + words + " > \"$OUT\"", expected};
}

std::string Same(const std::string& v) {
  return v + "|";
}
std::string Line(const std::string& v) {
  return v + "\n|";
}

// A command that reads its standard input into `text`, and here-documents that follow on lines.
Place Here(const std::string& name,
           const std::string& operators,
           const std::string& documents,
           const Expected& expected) {
  return {name,
          "IFS= read -r -d '' text " + operators + "\n" + documents +
              "\nprintf '%s|' \"$text\" > \"$OUT\"",
          expected};
}

std::vector<Place> WordPlaces() {
  return {
      Words("bare", "${{inputs.x}}", Same),
      Words("with blanks inside", "${{  inputs.x }}", Same),
      Words("double", "\"${{inputs.x}}\"", Same),
      Words("single", "'${{inputs.x}}'", Same),
      Words("ansi", "$'${{inputs.x}}'", Same),
      Words("locale", "$\"${{inputs.x}}\"", Same),
      Words("inside a word",
            "--x=${{inputs.x}}/sub",
            [](const std::string& v) { return "--x=" + v + "/sub|"; }),
      Words("two joined",
            "${{inputs.x}}_${{inputs.x}}",
            [](const std::string& v) { return v + "_" + v + "|"; }),
      Words("all quotes in one word",
            "a${{inputs.x}}\"b${{inputs.x}}c\"'d${{inputs.x}}e'$'f${{inputs.x}}\\x67'",
            [](const std::string& v) { return "a" + v + "b" + v + "cd" + v + "ef" + v + "g|"; }),
      Words("escaped double quotes",
            "\"\\\"${{inputs.x}}\\\"\"",
            [](const std::string& v) { return "\"" + v + "\"|"; }),
      Words("after an escaped backslash",
            "\\\\${{inputs.x}} \"\\\\${{inputs.x}}\" '\\${{inputs.x}}'",
            [](const std::string& v) { return "\\" + v + "|\\" + v + "|\\" + v + "|"; }),
      Words("after an escaped dollar",
            "\\$${{inputs.x}} \"\\$${{inputs.x}}\" '$${{inputs.x}}'",
            [](const std::string& v) { return "$" + v + "|$" + v + "|$" + v + "|"; }),
      Words("after an apostrophe",
            "'it'\\''s ${{inputs.x}}'",
            [](const std::string& v) { return "it's " + v + "|"; }),
      Words("in braces", "{a,${{inputs.x}}}", [](const std::string& v) { return "a|" + v + "|"; }),
      Words("after a tilde", "~${{inputs.x}}", [](const std::string& v) { return "~" + v + "|"; }),
      {"after a number sign in a word",
       "printf '%s|' a#${{inputs.x}} > \"$OUT\" # ${{inputs.x}}'\"\n:",
       [](const std::string& v) { return "a#" + v + "|"; }},
      Words("after a continued line", "\\\n${{inputs.x}}", Same),
      Words("beside arithmetic",
            "$((1<<2)) ${{inputs.x}} $[1+1]",
            [](const std::string& v) { return "4|" + v + "|2|"; }),
  };
}

std::vector<Place> ExpansionPlaces() {
  const Expected dotted = [](const std::string& v) { return v + ".|"; };
  return {
      Words("substitution", "\"$(printf '%s.' ${{inputs.x}})\"", dotted),
      Words("double in substitution", "\"$(printf '%s.' \"${{inputs.x}}\")\"", dotted),
      Words("single in substitution", "\"$(printf '%s.' '${{inputs.x}}')\"", dotted),
      Words("nested substitutions",
            "\"$(printf '%s.' \"$(printf '%s' \"<${{inputs.x}}>\")\")\"",
            [](const std::string& v) { return "<" + v + ">.|"; }),
      Words("comment in a substitution",
            "\"$(printf '%s.' ${{inputs.x}} # it's \"${{inputs.x}}\" )\n)\"",
            dotted),
      Words("backticks in double", "\"`printf '%s.' ${{inputs.x}}`\"", dotted),
      Words("escaped double in backticks", "\"`printf '%s.' \\\"${{inputs.x}}\\\"`\"", dotted),
      Words("nested backticks",
            "\"`printf '%s.' \"\\`printf '<%s>' '${{inputs.x}}'\\`\"`\"",
            [](const std::string& v) { return "<" + v + ">.|"; }),
      Words("comment in backticks", "\"`printf '%s.' ${{inputs.x}} # ends`\"", dotted),
      Words("default", "${UNSET:-${{inputs.x}}}", Same),
      Words("default in double", "\"${UNSET:-${{inputs.x}}}\"", Same),
      Words("double in a default in double", "\"${UNSET:-\"${{inputs.x}}\"}\"", Same),
      Words("single in a default", "${UNSET-'${{inputs.x}}'}", Same),
      Words("apostrophe in a default in double",
            "\"${UNSET:-'${{inputs.x}}'}\"",
            [](const std::string& v) { return "'" + v + "'|"; }),
      Words("alternative", "${OUT:+${{inputs.x}}}", Same),
      Words("nested defaults",
            "\"${UNSET:-${UNSET:-a${{inputs.x}}}b}\"",
            [](const std::string& v) { return "a" + v + "b|"; }),
      {"cut off as a literal",
       "y=A${{inputs.x}}; printf '%s|' \"${y%${{inputs.x}}}\" ${y%${{inputs.x}}}"
       " \"${y%\"${{inputs.x}}\"}\" \"${y%'${{inputs.x}}'}\" > \"$OUT\"",
       [](const std::string&) { return "A|A|A|A|"; }},
      {"replacement",
       "y=A; printf '%s|' \"${y/A/${{inputs.x}}}\" \"${y/A/\"${{inputs.x}}\"}\" > \"$OUT\"",
       [](const std::string& v) { return v + "|" + v + "|"; }},
      {"backticks bare",
       "y=`printf '%s.' \"${{inputs.x}}\"`; printf '%s|' \"$y\" > \"$OUT\"",
       dotted},
      {"process substitution",
       "IFS= read -r -d '' y < <(printf '%s' ${{inputs.x}}); printf '%s|' \"$y\" > \"$OUT\"",
       Same},
  };
}

std::vector<Place> CommandPlaces() {
  const Expected hit = [](const std::string&) { return "hit"; };
  return {
      {"assignment", "y=${{inputs.x}}; printf '%s|' \"$y\" > \"$OUT\"", Same},
      {"export", "export y=${{inputs.x}}; bash -c 'printf \"%s|\" \"$y\"' > \"$OUT\"", Same},
      {"array",
       "a=(${{inputs.x}} 'b${{inputs.x}}'); printf '%s|' \"${a[@]}\" > \"$OUT\"",
       [](const std::string& v) { return v + "|b" + v + "|"; }},
      {"positional",
       "set -- ${{inputs.x}}; printf '%s|' \"$#$1\" > \"$OUT\"",
       [](const std::string& v) { return "1" + v + "|"; }},
      {"loop", "for i in ${{inputs.x}}; do printf '%s|' \"$i\"; done > \"$OUT\"", Same},
      {"subshell", "(printf '%s|' ${{inputs.x}} > \"$OUT\")", Same},
      {"subshells", "( (printf '%s|' ${{inputs.x}}) ) > \"$OUT\"", Same},
      {"function",
       "f() { printf '%s|' \"$1\" '${{inputs.x}}'; }; f ${{inputs.x}} > \"$OUT\"",
       [](const std::string& v) { return v + "|" + v + "|"; }},
      {"pipeline",
       "printf '%s' ${{inputs.x}} | { IFS= read -r -d '' y; printf '%s|' \"$y\"; } > \"$OUT\"",
       Same},
      {"test", "[ ${{inputs.x}} = \"${{inputs.x}}\" ] && printf hit > \"$OUT\"", hit},
      {"double brackets", "[[ ${{inputs.x}} == '${{inputs.x}}' ]] && printf hit > \"$OUT\"", hit},
      {"case",
       "case ${{inputs.x}} in ${{inputs.x}}z) ;; ${{inputs.x}}) printf hit ;; esac > \"$OUT\"",
       hit},
      {"case in a substitution",
       "printf '%s|' \"$(case \"a b\" in (c) ;; 'a b') printf '%s.' ${{inputs.x}} ;; esac)\" '"
       "${{inputs.x}}' > \"$OUT\"",
       [](const std::string& v) { return v + ".|" + v + "|"; }},
      {"nested cases",
       "printf '%s|' \"$(case a in a) case b in b) printf '%s.' ${{inputs.x}};; esac;; c) ;; "
       "esac)\""
       " > \"$OUT\"",
       [](const std::string& v) { return v + ".|"; }},
      {"after arithmetic commands",
       "((1<<2)); for ((i=0;i<1;i++)); do printf '%s|' ${{inputs.x}}; done > \"$OUT\"",
       Same},
      {"after a comment",
       "# it's \"${{inputs.x}}\" $(\nprintf '%s|' ${{inputs.x}} > \"$OUT\"",
       Same},
  };
}

std::vector<Place> HerePlaces() {
  const std::string body = "${{inputs.x}}\nEOF";
  return {
      Here("here-document", "<<EOF", body, Line),
      Here("single-quoted here-document", "<<'EOF'", body, Line),
      Here("double-quoted here-document", "<< \"EOF\"", body, Line),
      Here("escaped here-document", "<<\\EOF", body, Line),
      Here("half-quoted here-document", "<<E'O'F", body, Line),
      Here("here-document with an odd delimiter",
           "<<'END OF $FILE'",
           "${{inputs.x}}\nEND OF $FILE",
           Line),
      Here("indented here-document", "<<-EOF", "\t\t${{inputs.x}}\n\tEOF", Line),
      Here("indented quoted here-document", "<<-'EOF'", "\t\t${{inputs.x}}\n\tEOF", Line),
      Here("literal text of a quoted here-document",
           "<<'EOF'",
           "$HOME `touch canary` $(touch canary) \\ \\\\ \\$ \"'${{inputs.x}}'\" \\\n${x:-y} "
           "$${{inputs.x}}"
           "\\${{inputs.x}}\\\nEOF",
           [](const std::string& v) {
             return "$HOME `touch canary` $(touch canary) \\ \\\\ \\$ \"'" + v +
                    "'\" \\\n${x:-y} $" + v + "\\" + v + "\\\n|";
           }),
      Here("quotes in a here-document",
           "<<EOF",
           "it's \"${{inputs.x}}\" '${{inputs.x}}' \\$ \\\\\nEOF",
           [](const std::string& v) { return "it's \"" + v + "\" '" + v + "' $ \\\n|"; }),
      Here("substitution in a here-document",
           "<<EOF",
           "$(printf '%s.' \"${{inputs.x}}\" ${{inputs.x}})`printf '%s.' ${{inputs.x}}`\nEOF",
           [](const std::string& v) { return v + "." + v + "." + v + ".\n|"; }),
      Here("default in a here-document", "<<EOF", "${UNSET:-${{inputs.x}}}\nEOF", Line),
      Here("pattern in a here-document",
           "<<EOF",
           "$(y=A${{inputs.x}}; echo \"${y%${{inputs.x}}}\")\nEOF",
           [](const std::string&) { return "A\n|"; }),
      Here("two here-documents",
           "3<<'A' <<B",
           "${{inputs.x}}\n$HOME\nA\n<${{inputs.x}}>\nB",
           [](const std::string& v) { return "<" + v + ">\n|"; }),
      {"two here-documents, the first",
       "{ IFS= read -r -d '' a; IFS= read -r -d '' b <&3; } <<'A' "
       "3<<B\n${{inputs.x}}\n$HOME\nA\n<${{"
       "inputs.x}}>\nB\nprintf '%s|' \"$a\" \"$b\" > \"$OUT\"",
       [](const std::string& v) { return v + "\n$HOME\n|<" + v + ">\n|"; }},
      {"here-document in a substitution",
       "y=\"$(cat <<'EOF'\n<${{inputs.x}}>\nEOF\n)\"; printf '%s|' \"$y\" > \"$OUT\"",
       [](const std::string& v) { return "<" + v + ">|"; }},
      Here("here-string", "<<<${{inputs.x}}", "", Line),
      Here("here-string in double", "<<< \"${{inputs.x}}\"", "", Line),
      Here("here-string in single", "<<<'${{inputs.x}}'", "", Line),
      {"words after a here-document",
       "printf '%s|' ${{inputs.x}} <<'EOF' > \"$OUT\" # ${{inputs.x}}\n$(\nEOF\n:",
       Same},
  };
}

// Tries every `stride`-th value in each place, and other ones in the next place: most expansions
// make bash fork, and all values in all of them would take a busy machine minutes.
void ExpectValuesToArrive(const std::vector<Place>& places, std::size_t stride) {
  const std::vector<std::string> all = HostileValues();
  BashFixture bash;
  for (std::size_t number = 0; number < places.size(); ++number) {
    const Place& place = places[number];
    SCOPED_TRACE(place.name);
    std::vector<std::string> values;
    for (std::size_t i = number % stride; i < all.size(); i += stride) values.push_back(all[i]);
    const auto command = RenderForShell(place.command, {{"x", "any"}}, {});
    ASSERT_TRUE(command.ok()) << command.status();
    SCOPED_TRACE(command->script);
    const std::vector<std::string> written = bash.RunForEach(command->script, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(written[i], place.expected(values[i])) << "for the value '" << values[i] << "'";
    }
    ASSERT_FALSE(bash.CanaryExists()) << "a value was run";
  }
}

TEST(CommandBashTest, HasManyHostileValues) {
  EXPECT_GE(HostileValues().size(), 200U);
}

TEST(CommandBashTest, EveryValueArrivesInEveryQuotingOfAWord) {
  ExpectValuesToArrive(WordPlaces(), 1);
}

TEST(CommandBashTest, EveryValueArrivesInHereDocuments) {
  ExpectValuesToArrive(HerePlaces(), 1);
}

TEST(CommandBashTest, ValuesArriveInsideExpansions) {
  ExpectValuesToArrive(ExpansionPlaces(), 4);
}

TEST(CommandBashTest, ValuesArriveInEveryPartOfACommand) {
  ExpectValuesToArrive(CommandPlaces(), 4);
}

TEST(CommandBashTest, EveryValueArrivesThroughTheEnvironment) {
  BashFixture bash;
  for (const std::string& value : HostileValues()) {
    const auto command = RenderForShell("printf '%s|' ${{inputs.a.x}} '${{outputs.o}}' > \"$OUT\"",
                                        {{"a.x", value}},
                                        {{"o", value}});
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_EQ(bash.Run(*command), value + "|" + value + "|");
    ASSERT_FALSE(bash.CanaryExists()) << value;
  }
}

TEST(CommandBashTest, TheValueOfTheFirstWordIsOneProgramName) {
  BashFixture bash;
  const auto command = RenderForShell("${{inputs.x}} a > \"$OUT\"", {{"x", "touch canary"}}, {});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(bash.Run(*command), "");
  EXPECT_FALSE(bash.CanaryExists());
}

TEST(CommandBashTest, AnInputWithoutValueIsNoWordAndNoText) {
  BashFixture bash;
  const std::string words =
      "set -u; printf '%s|' a ${{inputs.x}} b${{inputs.x}} \"c${{inputs.x}}\" 'd${{inputs.x}}'"
      " $'e${{inputs.x}}f' ${{inputs.x}}#g > \"$OUT\"";
  const auto command = RenderForShell(words, {}, {});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(bash.Run(*command), "a|b|c|d|ef|#g|");
  EXPECT_TRUE(command->environment.empty());
}

TEST(CommandBashTest, AnInputWithoutValueDoesNotEndAHereDocument) {
  BashFixture bash;
  for (const std::string operator_ : {"<<EOF", "<<'EOF'"}) {
    const auto command = RenderForShell(
        "cat " + operator_ + " > \"$OUT\"\n${{inputs.x}}EOF\ntouch canary\nEOF\n", {}, {});
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_EQ(bash.Run(*command), "EOF\ntouch canary\n");
    EXPECT_FALSE(bash.CanaryExists());
  }
}

TEST(CommandBashTest, PlainNumbersAreComputedWith) {
  BashFixture bash;
  const auto command = RenderForShell(
      "a=(1 2 3 4); printf '%s|' $((${{inputs.x}} - ${{inputs.y}})) $[${{inputs.x}}*2]"
      " \"${a[${{inputs.x}}]}\" \"${a[@]:${{inputs.x}}:1}\" \"$(( \"${{inputs.x}}\" << 1 ))\""
      " > \"$OUT\"",
      {{"x", "3"}, {"y", "-2"}},
      {});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(bash.Run(*command), "5|6|4|4|6|");
}

}  // namespace
}  // namespace potok
