// Running totals of a run: what the terminal summary says. Kept by every recorder, row by row.
// Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "sim/record/rows.h"
#include "sim/record/run_info.h"

namespace skiff {

class Tally {
 public:
  using Counts = std::array<std::uint64_t, kOutcomeWords.size()>;

  struct OfClass {
    std::uint64_t devices = 0;
    Counts attempts{};  // by outcome
    Bytes peak_memory;  // largest that was needed, also where it did not fit
    Bytes memory_limit;
  };

  explicit Tally(const RunInfo& info);  // which must outlive it

  void add(const AttemptRow& row) {
    const auto outcome = static_cast<std::size_t>(row.outcome);
    ++by_cause_[outcome][static_cast<std::size_t>(row.cause)];
    bytes_down_ += row.bytes_down;
    bytes_up_ += row.bytes_up;
    if (row.outcome != Outcome::kAccepted) wasted_up_[outcome] += row.bytes_up;
    energy_.compute += row.energy.compute;
    energy_.radio += row.energy.radio;
    energy_.flash += row.energy.flash;
    energy_.idle += row.energy.idle;
    if (row.device >= info_->class_of_device.size()) return;
    OfClass& c = classes_[info_->class_of_device[row.device]];
    ++c.attempts[outcome];
    c.peak_memory = std::max(c.peak_memory, row.peak_memory);
    c.memory_limit = std::max(c.memory_limit, row.memory_limit);
  }
  void add(const RoundRow& row);
  void add(const DeviceRow& row);

  std::uint64_t attempts() const;
  std::uint64_t attempts(Outcome outcome) const;
  std::uint64_t attempts(Outcome outcome, Cause cause) const {
    return by_cause_[static_cast<std::size_t>(outcome)][static_cast<std::size_t>(cause)];
  }
  Bytes bytes_down() const { return bytes_down_; }
  Bytes bytes_up() const { return bytes_up_; }
  Bytes bytes_up_wasted(Outcome outcome) const {
    return wasted_up_[static_cast<std::size_t>(outcome)];
  }
  const EnergyParts& energy() const { return energy_; }
  VirtualTime virtual_time() const { return virtual_time_; }
  Seconds wall_time() const { return wall_time_; }  // at the end of the last round
  std::uint32_t rounds() const { return rounds_; }  // the last one's number
  const std::vector<OfClass>& classes() const { return classes_; }

  // The course of one metric: last, best, and when a value was first reached.
  struct Point {
    std::uint32_t round = 0;
    VirtualTime time;
    double value = 0;
  };
  // Of RunInfo::metrics[i]; finite values alone.
  const std::vector<Point>& course(std::size_t metric) const { return courses_[metric]; }

 private:
  const RunInfo* info_;
  std::array<std::array<std::uint64_t, kCauseWords.size()>, kOutcomeWords.size()> by_cause_{};
  std::array<Bytes, kOutcomeWords.size()> wasted_up_{};
  Bytes bytes_down_, bytes_up_;
  EnergyParts energy_;
  VirtualTime virtual_time_;
  Seconds wall_time_;
  std::uint32_t rounds_ = 0;
  std::vector<OfClass> classes_;
  std::vector<std::vector<Point>> courses_;
};

}  // namespace skiff
