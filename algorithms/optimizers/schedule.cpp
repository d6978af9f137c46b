#include "algorithms/optimizers/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/core/registry.h"

namespace skiff {
namespace {

// By squaring: the same bits with every mathematical library.
double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

class Constant final : public Schedule {
 public:
  explicit Constant(NoParams) {}
  double factor(std::int64_t, std::int64_t) const override { return 1; }
};

struct StepParams {
  std::int64_t every = 1;
  double factor = 1;
};
class Step final : public Schedule {
 public:
  explicit Step(StepParams params) : params_(params) {}
  double factor(std::int64_t round, std::int64_t) const override {
    return power(params_.factor, round / params_.every);
  }

 private:
  StepParams params_;
};

struct CosineParams {
  double floor = 0;
};
class Cosine final : public Schedule {
 public:
  explicit Cosine(CosineParams params) : floor_(params.floor) {}
  double factor(std::int64_t round, std::int64_t horizon) const override {
    if (horizon < 1) return 1;
    const double part =
        static_cast<double>(std::min(round, horizon)) / static_cast<double>(horizon);
    return floor_ + (1 - floor_) * (1 + std::cos(std::numbers::pi * part)) / 2;
  }

 private:
  double floor_;
};

struct ExponentialParams {
  double factor = 1;
};
class Exponential final : public Schedule {
 public:
  explicit Exponential(ExponentialParams params) : factor_(params.factor) {}
  double factor(std::int64_t round, std::int64_t) const override { return power(factor_, round); }

 private:
  double factor_;
};

}  // namespace

template <>
Schema<StepParams> schema<StepParams>() {
  Schema<StepParams> s;
  s.field("every", &StepParams::every, "rounds between two drops").required().at_least(1);
  s.field("factor", &StepParams::factor, "of each drop").required().above(0).in(0, 1);
  return s;
}
template <>
Schema<CosineParams> schema<CosineParams>() {
  Schema<CosineParams> s;
  s.field("floor", &CosineParams::floor, "share of the learning rate left at the end").fraction();
  return s;
}
template <>
Schema<ExponentialParams> schema<ExponentialParams>() {
  Schema<ExponentialParams> s;
  s.field("factor", &ExponentialParams::factor, "of each round").required().above(0).in(0, 1);
  return s;
}

SKIFF_REGISTER(Schedule, Constant, NoParams,
               {.name = "constant", .summary = "the learning rate as it is", .paper = "baseline"});
SKIFF_REGISTER(Schedule, Step, StepParams,
               {.name = "step",
                .summary = "drops by a factor every so many rounds",
                .paper = "baseline"});
SKIFF_REGISTER(Schedule, Cosine, CosineParams,
               {.name = "cosine",
                .summary = "half a cosine from the learning rate to its floor",
                .paper = "Loshchilov and Hutter 2017, arXiv:1608.03983"});
SKIFF_REGISTER(Schedule, Exponential, ExponentialParams,
               {.name = "exponential",
                .summary = "shrinks by a factor every round",
                .paper = "baseline"});

}  // namespace skiff
