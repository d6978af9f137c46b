// Every shipped scenario goes the same way as when its line of fingerprints.csv was written: the
// trajectory of its events, and the digest of everything that it recorded. Shortened to a few
// rounds by overrides of its own. After a change that is meant to move them:
// SKIFF_WRITE_FINGERPRINTS=1 makes the file anew; read the difference before committing it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {
namespace fs = std::filesystem;

fs::path source() {
  const char* folder = std::getenv("SKIFF_SOURCE");
  return folder != nullptr ? folder : ".";
}
fs::path data_folder() {
  const char* folder = std::getenv("SKIFF_DATA");
  return folder != nullptr && *folder != '\0' ? fs::path(folder) : source() / "../shared/data";
}

struct Line {
  std::string rounds, fingerprint, results;
};

std::map<std::string, Line> stored() {
  std::map<std::string, Line> lines;
  std::ifstream in(source() / "tests/scenarios/fingerprints.csv");
  std::string text;
  std::getline(in, text);  // the header
  while (std::getline(in, text)) {
    std::istringstream cells(text);
    std::string name;
    Line line;
    std::getline(cells, name, ',');
    std::getline(cells, line.rounds, ',');
    std::getline(cells, line.fingerprint, ',');
    std::getline(cells, line.results, ',');
    lines[name] = line;
  }
  return lines;
}

std::vector<fs::path> shipped() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source() / "scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool needs_data(const fs::path& file) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  return text.find("path:") != std::string::npos || text.find("extends:") != std::string::npos;
}

Line run_shortened(const fs::path& file, const std::string& rounds) {
  const std::vector<std::string> overrides{"server.rounds=" + rounds, "server.stop=null"};
  const Scenario scenario =
      load_scenario(file.string(), overrides,
                    {.data_folder = data_folder().string(), .profiles = test::profiles()});
  const test::Ran ran = test::run(scenario, assemble(scenario));
  return {rounds, ran.result.fingerprint, ran.record->results_sha256()};
}

TEST(Fingerprints, OfEveryShippedScenario) {
  const bool write = std::getenv("SKIFF_WRITE_FINGERPRINTS") != nullptr;
  const std::map<std::string, Line> known = stored();
  std::map<std::string, Line> now;
  for (const fs::path& file : shipped()) {
    const std::string name = file.stem().string();
    const auto line = known.find(name);
    if (needs_data(file) && !fs::exists(data_folder())) {
      std::cout << "skipped without the data folder: " << name << "\n";
      if (line != known.end()) now[name] = line->second;
      continue;
    }
    const std::string rounds = line != known.end() ? line->second.rounds : "3";
    now[name] = run_shortened(file, rounds);
    if (write) continue;
    ASSERT_NE(line, known.end()) << name << " has no line in fingerprints.csv";
    EXPECT_EQ(now[name].fingerprint, line->second.fingerprint) << name;
    EXPECT_EQ(now[name].results, line->second.results) << name;
  }
  if (!write) return;
  std::ofstream out(source() / "tests/scenarios/fingerprints.csv");
  out << "scenario,rounds,fingerprint,results_sha256\n";
  for (const auto& [name, line] : now) {
    out << name << ',' << line.rounds << ',' << line.fingerprint << ',' << line.results << '\n';
  }
}

}  // namespace
}  // namespace skiff
