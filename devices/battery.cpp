#include "devices/battery.h"

#include <algorithm>
#include <cmath>

#include "sim/core/error.h"

namespace skiff {

const char* name(EnergyCause cause) {
  switch (cause) {
    case EnergyCause::kIdle:
      return "idle";
    case EnergyCause::kUser:
      return "user";
    case EnergyCause::kCompute:
      return "compute";
    case EnergyCause::kRadio:
      return "radio";
    case EnergyCause::kFlash:
      return "flash";
  }
  return "";
}

Battery::Battery(std::optional<Joules> capacity, double charge, VirtualTime now)
    : capacity_(capacity), first_charge_(charge), charge_(charge), time_(now) {
  SKIFF_CHECK(charge >= 0 && charge <= 1, "a charge is between 0 and 1");
  SKIFF_CHECK(!capacity || *capacity > Joules(0), "a battery has a capacity");
  if (!capacity_) first_charge_ = charge_ = 1;
}

double Battery::net_w() const { return charging_.value() - load_.total().value(); }

// A stretch in which the powers that count do not change: no crossing of empty or full inside.
void Battery::run(double seconds) {
  const bool dead = capacity_ && charge_ <= 0 && net_w() <= 0;
  if (dead) {
    // What the plug gives, if anything, goes through to a part of the load.
    const double load_w = load_.total().value();
    const double share = load_w > 0 ? charging_.value() / load_w : 0;
    for (std::size_t i = 0; i < kEnergyCauses; ++i) {
      spent_.parts[i] += load_.parts[i] * share * Seconds(seconds);
    }
    stored_ += charging_ * Seconds(seconds);
    return;
  }
  for (std::size_t i = 0; i < kEnergyCauses; ++i) {
    spent_.parts[i] += load_.parts[i] * Seconds(seconds);
  }
  if (!capacity_ || (charge_ >= 1 && net_w() >= 0)) {
    stored_ += load_.total() * Seconds(seconds);  // the plug carries the load
    return;
  }
  stored_ += charging_ * Seconds(seconds);
  charge_ += net_w() * seconds / capacity_->value();
}

void Battery::advance(VirtualTime now) {
  SKIFF_CHECK(now >= time_, "a battery cannot go back in time");
  double left = (now - time_).value();
  time_ = now;
  if (capacity_) {
    const double net = net_w();
    const double room = net > 0 ? 1 - charge_ : net < 0 ? charge_ : 0;
    const double until_edge = room * capacity_->value() / std::abs(net);
    // A crossing that was posted at its nanosecond is reached there, whatever was rounded.
    if (net != 0 && room > 0 && until_edge <= left * (1 + 1e-12)) {
      run(until_edge);
      charge_ = net > 0 ? 1 : 0;
      left -= until_edge;
    }
  }
  if (left > 0) run(left);
}

void Battery::set_load(const PowerByCause& load, VirtualTime now) {
  advance(now);
  load_ = load;
}

void Battery::set_charging(Watts stored, VirtualTime now) {
  SKIFF_CHECK(stored >= Watts(0), "charging power is not negative");
  advance(now);
  charging_ = stored;
}

Joules Battery::spend(EnergyCause cause, Joules amount, VirtualTime now) {
  advance(now);
  Joules given = amount;
  if (capacity_) {
    given = std::min(amount, charge_ * *capacity_);
    charge_ = given < amount ? 0 : charge_ - given / *capacity_;
  } else {
    stored_ += given;
  }
  spent_[cause] += given;
  return given;
}

double Battery::charge(VirtualTime now) const {
  SKIFF_CHECK(now >= time_, "a battery cannot go back in time");
  if (!capacity_) return 1;
  return std::clamp(charge_ + net_w() * (now - time_).value() / capacity_->value(), 0.0, 1.0);
}

VirtualTime Battery::reaches(double level) const {
  if (charge_ == level) return time_;
  if (!capacity_ || level < 0 || level > 1) return kNever;
  const double seconds = (level - charge_) * capacity_->value() / net_w();
  return seconds > 0 && std::isfinite(seconds) ? after(time_, Seconds(seconds)) : kNever;
}

double Battery::imbalance() const {
  const double capacity_j = capacity_ ? capacity_->value() : 0;
  const double in = first_charge_ * capacity_j + stored_.value();
  const double out = spent_.total().value() + charge_ * capacity_j;
  const double moved = std::max({in, out, 1e-300});
  return std::abs(in - out) / moved;
}

}  // namespace skiff
