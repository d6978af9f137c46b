// Runs a scenario in a process of its own and reads both sides of its memory: what the process took
// at most, and what the ledger says of its largest device.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/cli/program.h"

namespace skiff::test {

constexpr double kMegabyte = 1e6;

class Memory : public ProgramTest {
 protected:
  struct Peaks {
    double resident = 0, declared = 0;  // bytes; declared is 0 without python3 and h5py
    double optimizer = 0;               // of declared: its state
  };

  Peaks run_it(const std::string& text) {
    write("a.yaml", text);
    const pid_t child =
        start({"run", "a.yaml", "-q", "--no-figures", "--threads", "1", "--out", "out"});
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    EXPECT_EQ(status, 0) << text_of(folder_ / "stderr.txt");
    Peaks peaks{.resident = static_cast<double>(usage.ru_maxrss) * 1024};
    const std::string sum =
        "import h5py; b = h5py.File('out/run.h5')['memory/bytes'][:]; "
        "i = b.sum(axis=1).argmax(); print(b[i].sum(), b[i][2])";
    const std::string command = "cd '" + folder_.string() + "' && /usr/bin/python3 -c \"" + sum +
                                "\" > declared.txt 2>/dev/null";
    if (std::system(command.c_str()) == 0) {
      std::ifstream(folder_ / "declared.txt") >> peaks.declared >> peaks.optimizer;
    }
    fs::remove_all(folder_ / "out");
    return peaks;
  }
};

}  // namespace skiff::test
