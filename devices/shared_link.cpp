#include "devices/shared_link.h"

#include <algorithm>
#include <cmath>

#include "sim/core/error.h"

namespace skiff {
namespace {
constexpr double kNanobits = 8e9;  // in a byte
}

SharedLink::SharedLink(std::optional<std::int64_t> capacity_bps) : capacity_(capacity_bps) {
  SKIFF_CHECK(!capacity_ || (*capacity_ >= 0 && *capacity_ < kUncapped), "a capacity in bit/s");
}

double SharedLink::remaining(const Record& record) const {
  if (record.in == Class::kCapped && record.cap == 0) return record.left;
  const double left = record.in == Class::kCapped
                          ? (record.finish - clock_) * static_cast<double>(record.cap)
                          : record.finish - virtual_;
  return left > 0 ? left : 0;
}

SharedLink::Class SharedLink::fitting(std::int64_t cap) const {
  if (!capacity_) return Class::kCapped;
  const Wide sharing = static_cast<Wide>(shared_by_cap_.size());
  const Wide wanted = cap * std::max<Wide>(sharing, 1);
  return wanted <= *capacity_ - capped_sum_ ? Class::kCapped : Class::kShared;
}

void SharedLink::put_in(Flow flow, Class in, double left) {
  Record& record = records_[flow];
  record.in = in;
  if (in == Class::kCapped) {
    record.left = left;
    record.finish = left > 0 ? clock_ + left / static_cast<double>(record.cap) : clock_;
    capped_sum_ += record.cap;
    capped_by_finish_.push({record.finish, record.sequence, flow}, finish_position_);
    capped_by_cap_.push({-record.cap, record.sequence, flow}, cap_position_);
  } else {
    record.finish = virtual_ + left;
    shared_by_finish_.push({record.finish, record.sequence, flow}, finish_position_);
    shared_by_cap_.push({record.cap, record.sequence, flow}, cap_position_);
  }
}

double SharedLink::take_out(Flow flow) {
  Record& record = records_[flow];
  const double left = remaining(record);
  if (record.in == Class::kCapped) {
    capped_sum_ -= record.cap;
    capped_by_finish_.remove(flow, finish_position_);
    capped_by_cap_.remove(flow, cap_position_);
  } else {
    shared_by_finish_.remove(flow, finish_position_);
    shared_by_cap_.remove(flow, cap_position_);
  }
  record.in = Class::kFree;
  return left;
}

// Each move raises theta towards the one level at which all capped flows have caps <= theta and
// all sharing flows have caps > theta.
void SharedLink::rebalance() {
  if (!capacity_) {
    while (!shared_by_cap_.empty()) {
      SKIFF_CHECK(shared_by_cap_.top().key < kUncapped, "nothing limits this flow");
      move(shared_by_cap_.top().slot, Class::kCapped);
    }
    theta_ = 0;
    return;
  }
  for (;;) {
    const Wide spare = *capacity_ - capped_sum_;
    const Wide sharing = static_cast<Wide>(shared_by_cap_.size());
    if (sharing > 0 && shared_by_cap_.top().key * sharing <= spare) {
      move(shared_by_cap_.top().slot, Class::kCapped);
    } else if (!capped_by_cap_.empty() &&
               (sharing > 0 ? -capped_by_cap_.top().key * sharing > spare : spare < 0)) {
      move(capped_by_cap_.top().slot, Class::kShared);
    } else {
      theta_ = sharing > 0 ? static_cast<double>(spare) / static_cast<double>(sharing) : 0;
      return;
    }
  }
}

std::optional<SharedLink::Next> SharedLink::next() const {
  std::optional<Next> first;
  if (!capped_by_finish_.empty() && std::isfinite(capped_by_finish_.top().key)) {
    first = {std::max(clock_, capped_by_finish_.top().key), capped_by_finish_.top().slot};
  }
  if (!shared_by_finish_.empty()) {
    const auto& top = shared_by_finish_.top();
    const double left = top.key - virtual_;
    const double time = left > 0 ? clock_ + left / theta_ : clock_;  // theta 0: infinite
    const bool earlier = !first || time < first->time ||
                         (time == first->time && top.sequence < records_[first->flow].sequence);
    if (earlier && std::isfinite(time)) first = {time, top.slot};
  }
  return first;
}

void SharedLink::move_clock(double to) {
  virtual_ += theta_ * (to - clock_);
  clock_ = to;
}

void SharedLink::complete(Flow flow) {
  take_out(flow);
  Record& record = records_[flow];
  record.in = Class::kComplete;
  --active_;
  const double exact_s = (static_cast<double>(epoch_ns_) + clock_) * 1e-9;
  complete_.push_back({record.tag, flow, rounded_up(clock_), exact_s});
}

void SharedLink::advance(VirtualTime now) {
  if (active_ == 0) {
    SKIFF_CHECK(now.ns >= epoch_ns_, "a link cannot go back in time");
    epoch_ns_ = now.ns;
    clock_ = virtual_ = 0;
    return;
  }
  const double to = static_cast<double>(now.ns - epoch_ns_);
  SKIFF_CHECK(to >= clock_, "a link cannot go back in time");
  while (const std::optional<Next> first = next()) {
    if (first->time > to) break;
    move_clock(first->time);
    const Record& record = records_[first->flow];
    if (record.in == Class::kShared) virtual_ = record.finish;  // what remains is exactly 0
    complete(first->flow);
    rebalance();
  }
  move_clock(to);
}

VirtualTime SharedLink::rounded_up(double time) const {
  const double ns = std::ceil(time);
  if (ns >= 0x1p63 - static_cast<double>(epoch_ns_)) return kNever;
  return {epoch_ns_ + static_cast<std::int64_t>(ns)};
}

SharedLink::Flow SharedLink::start(std::uint64_t tag, Bytes bytes, std::int64_t cap_bps,
                                   VirtualTime now) {
  SKIFF_CHECK(bytes >= Bytes(0) && cap_bps >= 0, "a flow has a size and a cap");
  SKIFF_CHECK(capacity_ || cap_bps < kUncapped, "nothing limits this flow");
  advance(now);
  if (free_.empty()) {
    free_.push_back(static_cast<Flow>(records_.size()));
    records_.emplace_back();
    finish_position_.push_back(0);
    cap_position_.push_back(0);
  }
  const Flow flow = free_.back();
  free_.pop_back();
  const double size = as_double(bytes) * kNanobits;
  records_[flow] = {tag, next_sequence_++, size, 0, 0, cap_bps, Class::kFree};
  ++active_;
  put_in(flow, fitting(cap_bps), size);
  rebalance();
  return flow;
}

SharedLink::Record& SharedLink::running(Flow flow) {
  SKIFF_CHECK(flow < records_.size() && records_[flow].in != Class::kFree, "no such flow");
  return records_[flow];
}

void SharedLink::release(Flow flow) {
  records_[flow].in = Class::kFree;
  free_.push_back(flow);
}

Bytes SharedLink::transferred(Flow flow, VirtualTime now) {
  advance(now);
  const Record& record = running(flow);
  const double left = record.in == Class::kComplete ? 0 : remaining(record);
  return Bytes(static_cast<std::int64_t>((record.size - left) / kNanobits));
}

Bytes SharedLink::abort(Flow flow, VirtualTime now) {
  const Bytes through = transferred(flow, now);
  if (records_[flow].in == Class::kComplete) {
    const auto is_it = [flow](const Completion& c) { return c.flow == flow; };
    complete_.erase(std::find_if(complete_.begin(), complete_.end(), is_it));
  } else {
    take_out(flow);
    --active_;
    rebalance();
  }
  release(flow);
  return through;
}

void SharedLink::set_cap(Flow flow, std::int64_t cap_bps, VirtualTime now) {
  SKIFF_CHECK(cap_bps >= 0 && (capacity_ || cap_bps < kUncapped), "a cap in bit/s");
  advance(now);
  Record& record = running(flow);
  if (record.in == Class::kComplete) return;
  const double left = take_out(flow);
  record.cap = cap_bps;
  put_in(flow, fitting(cap_bps), left);
  rebalance();
}

void SharedLink::set_capacity(std::optional<std::int64_t> capacity_bps, VirtualTime now) {
  SKIFF_CHECK(!capacity_bps || (*capacity_bps >= 0 && *capacity_bps < kUncapped), "a capacity");
  advance(now);
  capacity_ = capacity_bps;
  rebalance();
}

double SharedLink::rate_bps(Flow flow, VirtualTime now) {
  advance(now);
  const Record& record = running(flow);
  if (record.in == Class::kComplete) return 0;
  return record.in == Class::kCapped ? static_cast<double>(record.cap) : theta_;
}

VirtualTime SharedLink::next_completion() const {
  if (!complete_.empty()) return complete_.front().time;
  const std::optional<Next> first = next();
  return first ? rounded_up(first->time) : kNever;
}

bool SharedLink::pop(VirtualTime now, Completion& out) {
  advance(now);
  if (complete_.empty()) return false;
  out = complete_.front();
  complete_.pop_front();
  release(out.flow);
  return true;
}

}  // namespace skiff
