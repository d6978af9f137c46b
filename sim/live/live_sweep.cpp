#include "sim/live/live_sweep.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/live/event_log.h"

namespace skiff {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPoints = 200;  // of one run's curve

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string line(const Json& json) {  // what a run printed last need not be UTF-8
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string live_sweep_start(const std::string& name, const std::vector<LiveSweepRun>& runs) {
  Json list = Json::array();
  for (const LiveSweepRun& run : runs) {
    list.push_back({{"case", run.case_name}, {"seed", run.seed}, {"state", run.state}});
  }
  return line({{"name", name}, {"runs", list}});
}

std::string live_sweep_run(std::size_t job, const std::string& state, double wall,
                           const std::string& note) {
  return line({{"run", job}, {"state", state}, {"wall", wall}, {"note", note}});
}

std::string live_sweep_point(const RunNews& news, double wall) {
  return line({{"run", news.job},
               {"wall", wall},
               {"round", news.round},
               {"rounds", news.rounds},
               {"virtual_time", news.virtual_time},
               {"bytes", news.bytes_up + news.bytes_down},
               {"energy", news.energy},
               {"metric", news.metric},
               {"value", number(news.value)}});
}

std::string live_sweep_end(const std::string& state, double wall) {
  return line({{"state", state}, {"wall", wall}});
}

// Beside its points a run has a few events more: begun, ended, its last round, done again.
LiveThinning::LiveThinning(std::size_t runs)
    : step_(1.0 / static_cast<double>(std::clamp<std::size_t>(
                      EventLog::kMost / std::max<std::size_t>(1, runs) / 3, 1, kMostPoints))),
      next_(runs, 0.0) {}

bool LiveThinning::wants(const RunNews& news) {
  double& next = next_[news.job];
  const double fraction = news.fraction();
  if (news.round <= 1) next = 0;  // it begins, maybe again
  if (fraction < 1 && (fraction < next || !std::isfinite(news.value))) return false;
  next = fraction + step_;
  return true;
}

}  // namespace skiff
