#include "sim/cli/figures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "sim/cli/home.h"

namespace skiff::cli {
namespace {
namespace fs = std::filesystem;

// Debian's own interpreter has Debian's packages; another python3 in front of it may not.
std::string python() { return fs::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; }

int run_quietly(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string last_line(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

// Runs the package with these words; what went wrong, or nothing.
std::string analyse(const std::vector<std::string>& words, const std::string& log) {
  const std::string package = home() + "/analysis";
  const char* path = std::getenv("PYTHONPATH");
  setenv("PYTHONPATH", path == nullptr ? package.c_str() : (package + ":" + path).c_str(), 1);
  std::vector<std::string> command{python(), "-m", "skiff_analysis"};
  command.insert(command.end(), words.begin(), words.end());
  const int code = run_quietly(command, log);
  const std::string said = code == 0 ? "" : last_line(log);
  std::error_code ignored;
  fs::remove(log, ignored);
  return code == 0 || !said.empty() ? said : fmt::format("{} ended with {}", python(), code);
}

}  // namespace

Drawing draw_figures(const std::string& run_file, const std::string& folder) {
  Drawing drawing;
  drawing.problem = analyse({"draw", run_file, "-o", folder}, folder + "/.figures.log");
  if (!drawing.problem.empty()) return drawing;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".svg") ++drawing.figures;
  }
  return drawing;
}

std::string write_report(const std::vector<std::string>& words, const std::string& page) {
  std::vector<std::string> all{"report"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"-o", page});
  return analyse(all, page + ".log");
}

}  // namespace skiff::cli
