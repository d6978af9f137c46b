// What the live page of a sweep is told: which runs there are, what becomes of each, and a thinned
// curve of each as it advances. One line of JSON an event; what was not measured is null.
//
// `wall` are seconds since the sweep began. All events of a sweep fit into the EventLog, so that a
// page may come late: LiveThinning sees to that.
#pragma once

#include <string>
#include <vector>

#include "sim/live/run_news.h"

namespace skiff {

struct LiveSweepRun {
  std::string case_name;
  std::int64_t seed = 0;
  std::string
      state;  // waiting | running | done | failed | interrupted | finished before | elsewhere
};

std::string live_sweep_start(const std::string& name, const std::vector<LiveSweepRun>& runs);
// `note`: which rank does it, or what it said when it failed.
std::string live_sweep_run(std::size_t job, const std::string& state, double wall,
                           const std::string& note);
std::string live_sweep_point(const RunNews& news, double wall);
std::string live_sweep_end(const std::string& state, double wall);

// Which rounds of the runs are worth an event: evaluated ones, evenly spread, and the last.
class LiveThinning {
 public:
  explicit LiveThinning(std::size_t runs);
  bool wants(const RunNews& news);

 private:
  double step_;               // of a run's whole
  std::vector<double> next_;  // fraction from which on a run may speak again
};

}  // namespace skiff
