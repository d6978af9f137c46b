// How the step size goes down over the rounds: {name: cosine}, {name: step, every: 50, factor:
// 0.5}.
//
// A schedule is a factor on the learning rate, constant within a round, so that all clients of a
// round step alike. constant: 1. step: factor^floor(round/every). exponential: factor^round.
// cosine: floor + (1 - floor)(1 + cos(pi round/horizon))/2 (Loshchilov and Hutter 2017,
// arXiv:1608.03983, eq. 5, without restarts). Immutable, thread-safe.
#pragma once

#include <cstdint>

namespace skiff {

class Schedule {
 public:
  static constexpr const char* kRole = "schedule";
  static constexpr const char* kKey = "name";
  virtual ~Schedule() = default;
  // Of round 0, 1, ... of `horizon` rounds.
  virtual double factor(std::int64_t round, std::int64_t horizon) const = 0;
};

}  // namespace skiff
