// Every file of tests/scenario/broken is wrong in the way that its last lines say:
//
//   # set: server.rounds=many                    an override to load it with
//   # expect: 3:10: server.deadline: "10" needs  how a problem begins, after the file's name
//
// All problems are expected, and no others, but for words that this version cannot run yet: these
// are compared only where the file expects one, so that the rest stands when a word begins to run.
#include <gtest/gtest.h>

#include "tests/scenario/scenario_test.h"

namespace skiff {
namespace {

struct Broken {
  std::string text;
  std::vector<std::string> overrides, expected;
};

Broken read_broken(const std::filesystem::path& file) {
  Broken broken;
  broken.text = read_text(file);
  std::istringstream lines(broken.text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# set: ")) broken.overrides.push_back(line.substr(7));
    if (line.starts_with("# expect: ")) broken.expected.push_back(line.substr(10));
  }
  return broken;
}

// As if the file lay in scenarios/: "scenarios/a.yaml:3:1: x" -> "3:1: x".
std::string as_if_in_scenarios(std::string line, const std::string& folder,
                               const std::string& file) {
  for (auto at = line.find(folder); at != std::string::npos; at = line.find(folder)) {
    line.replace(at, folder.size(), "scenarios");
  }
  const std::string own = "scenarios/" + file + ":";
  return line.starts_with(own) ? line.substr(own.size()) : line;
}

bool is_planned(const std::string& line) {
  return line.ends_with("is a word of the language that this version cannot run yet");
}

// Every problem but planned words that nobody expects.
std::vector<Problem> found_in(const Broken& broken, const std::string& file) {
  try {
    parse_scenario(broken.text, file, broken.overrides, test_options());
  } catch (const ScenarioError& error) {
    const auto& expected = broken.expected;
    const bool planned = std::any_of(expected.begin(), expected.end(), is_planned);
    std::vector<Problem> problems = error.problems();
    if (!planned) std::erase_if(problems, [](const Problem& p) { return is_planned(p.message); });
    return problems;
  }
  return {};
}

// FILE:LINE:COL in front, then the line as it stands there, then a caret below that column.
void expect_place(const Problem& problem, const Broken& broken) {
  const std::string text = to_string(problem);
  ASSERT_FALSE(problem.source.empty()) << "no source line: " << text;
  const std::string caret = std::string(static_cast<std::size_t>(problem.where.column) - 1, ' ');
  EXPECT_TRUE(text.ends_with("\n    " + problem.source + "\n    " + caret + "^")) << text;
  if (problem.where.line < 0) {
    const auto which = static_cast<std::size_t>(-1 - problem.where.line);
    ASSERT_LT(which, broken.overrides.size());
    EXPECT_EQ(problem.source, broken.overrides[which]);
    return;
  }
  std::istringstream lines(read_text(problem.where.file));
  std::string line;
  for (int i = 0; i < problem.where.line; ++i) std::getline(lines, line);
  std::replace(line.begin(), line.end(), '\t', ' ');  // so that the caret stands below its column
  EXPECT_EQ(problem.source, line);
  EXPECT_LE(static_cast<std::size_t>(problem.where.column), line.size() + 1) << text;
}

class BrokenScenarioTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(BrokenScenarioTest, SaysWhatIsWrongAndWhere) {
  const std::string folder = GetParam().parent_path().string();
  const std::string name = GetParam().filename().string();
  const Broken broken = read_broken(GetParam());
  ASSERT_FALSE(broken.expected.empty()) << name << " expects nothing";
  std::vector<std::string> found;
  for (const Problem& problem : found_in(broken, GetParam().string())) {
    const std::string whole = to_string(problem);
    found.push_back(whole.substr(0, whole.find('\n')));
    expect_place(problem, broken);
  }
  EXPECT_EQ(found.size(), broken.expected.size()) << testing::PrintToString(found);
  for (std::size_t i = 0; i < std::min(found.size(), broken.expected.size()); ++i) {
    const std::string line = as_if_in_scenarios(found[i], folder, name);
    EXPECT_TRUE(line.starts_with(broken.expected[i]))
        << "expected  " << broken.expected[i] << "\nfound     " << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, BrokenScenarioTest,
                         testing::ValuesIn(yaml_files(source_folder() + "/tests/scenario/broken")),
                         [](const auto& file) {
                           std::string name = file.param.stem().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(BrokenScenarios, AreAtLeastSixty) {
  EXPECT_GE(yaml_files(source_folder() + "/tests/scenario/broken").size(), 60u);
}
// The likeliest 25 mistakes are numbered; the 24th is one of --out: tests/cli/run_test.cpp.
TEST(BrokenScenarios, HoldTheLikeliestTwentyFive) {
  std::vector<int> numbers{24};
  for (const auto& file : yaml_files(source_folder() + "/tests/scenario/broken")) {
    const int number = std::atoi(file.filename().string().c_str());
    if (number > 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (int i = 0; i < 25; ++i) EXPECT_EQ(numbers.at(static_cast<std::size_t>(i)), i + 1);
}

}  // namespace
}  // namespace skiff
