// What the command line says of itself, and what it answers to mistakes: exit code 2.
#include <gmock/gmock.h>

#include "tests/cli/program.h"

namespace skiff::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct VerbOptions {
  const char* verb;
  std::vector<std::string> options;
};
const std::vector<VerbOptions>& verb_options() {
  static const std::vector<VerbOptions> all{
      {"run",
       {"--set", "--seed", "--out", "-o", "--threads", "--launch", "--print-config", "--no-figures",
        "--quiet", "-q", "--serve", "--serve-to"}},
      {"sweep", {"--set", "--out", "--jobs", "-j", "--shard", "--dry-run", "-n", "--quiet"}},
      {"validate", {"--set"}},
      {"list", {"--role", "--json", "--markdown"}},
      {"explain", {"--json"}},
      {"inspect", {"--json"}},
      {"export", {"--out", "-o", "--type", "--quiet"}},
      {"eval", {"--data", "--tokenizer", "--sample", "--prompt", "--json"}},
      {"report", {"--out", "-o"}},
      {"schema", {}},
  };
  return all;
}

class Help : public ProgramTest {};

TEST_F(Help, EveryVerbNamesItsOptions) {
  for (const VerbOptions& v : verb_options()) {
    for (const char* asked : {"--help", "-h"}) {
      const Said said = run({v.verb, asked});
      EXPECT_EQ(said.code, 0) << v.verb;
      EXPECT_THAT(said.out, StartsWith("usage: skiff " + std::string(v.verb)));
      EXPECT_THAT(said.out, HasSubstr("--help"));
      for (const std::string& option : v.options) EXPECT_THAT(said.out, HasSubstr(option));
      EXPECT_THAT(said.err, IsEmpty());
    }
  }
}
TEST_F(Help, NamesEveryVerbAndThisTestKnowsThemAll) {
  const Said said = run({"--help"});
  EXPECT_EQ(said.code, 0);
  std::istringstream lines(said.out);
  std::size_t listed = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ") || line.size() < 4) continue;
    const std::string verb = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_EQ(run({verb, "--help"}).code, 0) << verb;
    ++listed;
  }
  EXPECT_GE(listed, verb_options().size());
  for (const VerbOptions& v : verb_options()) EXPECT_THAT(said.out, HasSubstr(v.verb));
}
TEST_F(Help, SaysItsVersion) {
  const Said said = run({"--version"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, StartsWith("skiff "));
}

class Mistakes : public ProgramTest {
 protected:
  // Exit code 2, one message to stderr, nothing to stdout.
  void expect_refused(const std::vector<std::string>& arguments, const std::string& message) {
    const Said said = run(arguments);
    EXPECT_EQ(said.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(said.err, HasSubstr(message));
    EXPECT_THAT(said.out, IsEmpty());
  }
};

TEST_F(Mistakes, NoVerbOrNoSuchVerb) {
  const Said said = run({});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("usage: skiff VERB"));
  expect_refused({"rnu"}, "unknown verb \"rnu\"; did you mean \"run\"?");
  expect_refused({"xylophone"}, "unknown verb \"xylophone\"; skiff --help lists them");
}
TEST_F(Mistakes, UnknownOptionsOfEveryVerb) {
  for (const VerbOptions& v : verb_options()) {
    expect_refused({v.verb, "--xyzzy"}, "unknown option --xyzzy");
  }
  expect_refused({"run", "a.yaml", "--quite"}, "unknown option --quite; did you mean --quiet?");
  expect_refused({"run", "a.yaml", "--no-fig"}, "unknown option --no-fig");  // nothing is guessed
}
TEST_F(Mistakes, TooFewOrTooManyWords) {
  expect_refused({"run"}, "one scenario file");
  expect_refused({"run", "a.yaml", "b.yaml"}, "one scenario file");
  expect_refused({"validate"}, "which file?");
  expect_refused({"list"}, "one of algorithms, models, devices, data");
  expect_refused({"list", "algoritms"}, "\"algoritms\" unknown; did you mean \"algorithms\"?");
  expect_refused({"list", "algorithms", "--role", "magic"}, "with role \"magic\"");
  expect_refused({"explain"}, "which name?");
  expect_refused({"explain", "fedavgg"}, "\"fedavgg\" unknown; did you mean \"fedavg\"?");
  expect_refused({"inspect"}, "which run.h5?");
  expect_refused({"schema", "now"}, "takes no words without a dash");
}
TEST_F(Mistakes, ValuesOfOptions) {
  const std::string file = write("a.yaml", kTimed);
  expect_refused({"run", file, "--launch", "lazy"}, "--launch lazy: one of demand, eager, serial");
  expect_refused({"run", file, "--threads", "-1"}, "--threads: 0 or more");
  expect_refused({"run", file, "--threads", "many"}, "threads");
  expect_refused({"run", file, "--seed"}, "seed");
}
TEST_F(Mistakes, AFileThatIsNotThere) {
  expect_refused({"run", "nowhere.yaml"}, "nowhere.yaml: ");
  expect_refused({"validate", "nowhere.yaml"}, "nowhere.yaml: ");
}

// --- scenarios: the message, the line, the caret

TEST_F(Mistakes, OfAScenarioComeWithPlaceLineAndCaret) {
  std::string text = kTimed;
  text.replace(text.find("participants"), 12, "partcipants");
  write("a.yaml", text);
  const Said said = run({"validate", "a.yaml"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("a.yaml:4:33: server.partcipants: unknown key; did you mean "
                                  "\"participants\"?"));
  EXPECT_THAT(said.err, HasSubstr("\n    server: {protocol: synchronous, partcipants: 10, rounds: "
                                  "5}\n    " +
                                  std::string(32, ' ') + "^\n"));
}
TEST_F(Mistakes, OfAnOverrideStandInSet) {
  write("a.yaml", kTimed);
  for (const char* verb : {"run", "validate"}) {
    expect_refused(
        {verb, "a.yaml", "--set", "server.deadline=10"},
        "--set: server.deadline: \"10\" needs a unit of time: s, min, h, d; did you mean "
        "\"10 min\"?\n    server.deadline=10\n                    ^\n");
  }
}
TEST_F(Mistakes, ComeAllAtOnce) {
  write("a.yaml", kTimed);
  const Said said = run(
      {"validate", "a.yaml", "--set", "seed=-1", "--set", "server.rounds=x", "--set", "bogus=1"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, AllOf(HasSubstr("--set: seed: "), HasSubstr("--set: server.rounds: "),
                              HasSubstr("--set: bogus: unknown key"), HasSubstr("3 problems")));
}

}  // namespace
}  // namespace skiff::test
