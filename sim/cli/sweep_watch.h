// What is told of a sweep while it runs: one progress display, each failure with its log, and the
// live page if one is served. Nothing here has any bearing on results. Not thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/cli/sweep.h"
#include "sim/live/live_sweep.h"
#include "sim/record/progress.h"

namespace skiff::cli {

class SweepWatch {
 public:
  SweepWatch(const Sweep& sweep, const SweepRequest& request);

  // "methods  20 runs, 3 finished before, 17 to do here; 2 at a time, 1 thread each"
  void header(const std::string& who);
  void started(std::size_t job, const std::string& where = "");
  void news(const RunNews& news);
  void ended(const RunServer::Ended& end);
  // A run that nobody does any more and that waits again.
  void lost(std::size_t job, const std::string& why);
  void tick();  // several times a second

  // Writes the index, says how it went; the exit code of the sweep.
  int finish();

 private:
  double wall() const;
  void say(const std::string& text);
  void publish(const char* kind, const std::string& json);

  const Sweep& sweep_;
  bool quiet_;
  Progress progress_;
  std::optional<LiveServer> live_;
  std::chrono::steady_clock::time_point start_;
  std::vector<double> fractions_;  // of each point
  LiveThinning thinning_;
  std::size_t ended_ = 0, failed_ = 0;
};

}  // namespace skiff::cli
