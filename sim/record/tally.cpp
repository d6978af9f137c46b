#include "sim/record/tally.h"

#include <cmath>
#include <numeric>

namespace skiff {

Tally::Tally(const RunInfo& info)
    : info_(&info), classes_(info.device_classes.size()), courses_(info.metrics.size()) {
  for (const std::uint16_t c : info.class_of_device) ++classes_.at(c).devices;
}

void Tally::add(const RoundRow& row) {
  rounds_ = row.round;
  virtual_time_ = row.virtual_time;
  wall_time_ = row.wall_time;
  for (std::size_t m = 0; m < info_->metrics.size(); ++m) {
    double value = info_->metrics[m] == "train_loss" ? row.train_loss : kNotMeasured;
    for (const auto& [name, measured] : row.metrics) {
      if (name == info_->metrics[m]) value = measured;
    }
    if (std::isfinite(value)) courses_[m].push_back({row.round, row.virtual_time, value});
  }
}

void Tally::add(const DeviceRow& row) {
  OfClass& c = classes_.at(row.device_class);
  c.memory_limit = std::max(c.memory_limit, row.memory_limit);
}

std::uint64_t Tally::attempts(Outcome outcome) const {
  const auto& causes = by_cause_[static_cast<std::size_t>(outcome)];
  return std::accumulate(causes.begin(), causes.end(), std::uint64_t{0});
}

std::uint64_t Tally::attempts() const {
  std::uint64_t all = 0;
  for (const auto& causes : by_cause_) all = std::accumulate(causes.begin(), causes.end(), all);
  return all;
}

}  // namespace skiff
