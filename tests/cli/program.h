// Runs the built program as a user would: its exit code and what it says. POSIX, one thread.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/scratch_folder.h"

namespace skiff::test {
namespace fs = std::filesystem;

inline std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}
inline std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

struct Said {
  int code = -1;  // of exit; -signal if one ended it
  std::string out, err;
};

// A folder of its own, which is the program's working directory too; gone in the end.
class ProgramTest : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) const {
    return scratch_.write(name, text);
  }

  // Starts it; `largest_file`: its limit of file sizes in bytes, 0 = none.
  pid_t start(const std::vector<std::string>& arguments, rlim_t largest_file = 0) const {
    const std::string program = from_environment("SKIFF_BINARY", "./skiff");
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string out = folder_ / "stdout.txt", err = folder_ / "stderr.txt";
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(::open(out.c_str(), flags, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), flags, 0600), STDERR_FILENO);
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    if (largest_file > 0) {
      const rlimit limit{largest_file, largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  Said wait(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return {code, text_of(folder_ / "stdout.txt"), text_of(folder_ / "stderr.txt")};
  }
  Said run(const std::vector<std::string>& arguments, rlim_t largest_file = 0) const {
    return wait(start(arguments, largest_file));
  }
  // Until `condition` holds, at most ten seconds.
  template <class Condition>
  static bool eventually(const Condition& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  const ScratchFolder scratch_;
  const fs::path folder_ = scratch_.folder();
};

// Fine, and over at once: nothing is trained.
inline const char* const kTimed = R"(seed: 7
data: {source: none, clients: 50, samples_per_client: 1, partition: {scheme: iid}}
devices: {population: {rpi-5-8g: 1}}
server: {protocol: synchronous, participants: 10, rounds: 5}
training: {mode: timing-only, compute_time: {exponential: {mean: 20 s}}, download: 1 MB,
           upload: 1 MB}
)";

}  // namespace skiff::test
