// Every file of tests/scenario/broken is wrong in the way that its last lines say:
//
//   # set: server.rounds=many                    an override to load it with
//   # expect: 3:10: server.deadline: "10" needs  how a problem begins, after the file's name
//
// All problems are expected, and no others.
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

class BrokenScenarioTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(BrokenScenarioTest, SaysWhatIsWrongAndWhere) {
  const std::string folder = GetParam().parent_path().string();
  const std::string name = GetParam().filename().string();
  const Broken broken = read_broken(GetParam());
  ASSERT_FALSE(broken.expected.empty()) << name << " expects nothing";
  const std::vector<std::string> found =
      problems_of(broken.text, broken.overrides, GetParam().string());
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

}  // namespace
}  // namespace skiff
