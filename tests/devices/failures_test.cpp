#include "devices/failures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace skiff {
namespace {

constexpr std::uint64_t kTrials = 200'000;

// P(a job of length x survives) = exp(-rate x); the count of survivors is binomial.
TEST(Failures, SurvivalIsExponential) {
  const FailureRates rates{.crash = PerSecond(0.5 / 3600), .interrupt = PerSecond(1.5 / 3600)};
  for (const double x : {60.0, 600.0, 3600.0}) {
    std::uint64_t survived = 0;
    for (std::uint64_t i = 0; i < kTrials; ++i) {
      survived += first_failure(rates, 1, i % 100, i).after > Seconds(x);
    }
    const double p = std::exp(-2.0 / 3600 * x);
    const double error = std::sqrt(p * (1 - p) / static_cast<double>(kTrials));
    EXPECT_NEAR(static_cast<double>(survived) / static_cast<double>(kTrials), p, 4 * error) << x;
  }
}

TEST(Failures, TheCauseIsSharedInProportionToTheRates) {
  const FailureRates rates{.crash = PerSecond(0.5 / 3600), .interrupt = PerSecond(1.5 / 3600)};
  std::uint64_t crashes = 0;
  for (std::uint64_t i = 0; i < kTrials; ++i) {
    crashes += first_failure(rates, 7, i, 0).cause == Failure::Cause::kCrash;
  }
  const double error = std::sqrt(0.25 * 0.75 / static_cast<double>(kTrials));
  EXPECT_NEAR(static_cast<double>(crashes) / static_cast<double>(kTrials), 0.25, 4 * error);
}

// Accepted reports of rounds of 20 are Binomial(20, p): mean and variance.
TEST(Failures, SurvivorsOfARoundAreBinomial) {
  constexpr int kRounds = 20'000;
  const FailureRates rates{.interrupt = PerSecond(1.0 / 3600)};
  const double p = std::exp(-0.25);
  double sum = 0;
  double squares = 0;
  for (std::uint64_t r = 0; r < kRounds; ++r) {
    int survived = 0;
    for (std::uint64_t d = 0; d < 20; ++d) {
      survived += first_failure(rates, 3, d, r).after > Seconds(900);
    }
    sum += survived;
    squares += survived * survived;
  }
  const double mean = sum / kRounds;
  const double variance = squares / kRounds - mean * mean;
  EXPECT_NEAR(mean, 20 * p, 4 * std::sqrt(20 * p * (1 - p) / kRounds));
  EXPECT_NEAR(variance, 20 * p * (1 - p), 4 * 20 * p * (1 - p) * std::sqrt(2.0 / kRounds));
}

TEST(Failures, NoHazardNoFailure) {
  const Failure none = first_failure({}, 1, 2, 3);
  EXPECT_EQ(none.cause, Failure::Cause::kNone);
  EXPECT_TRUE(std::isinf(none.after.value()));
}

TEST(Failures, AHigherRateOnlyBringsFailuresForward) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Seconds slow = crash_time(PerSecond(1), 1, i, 0);
    EXPECT_NEAR(crash_time(PerSecond(4), 1, i, 0).value(), slow.value() / 4, 1e-15);
    const FailureRates with{PerSecond(1), PerSecond(1)};
    EXPECT_LE(first_failure(with, 1, i, 0).after, slow);
  }
}

}  // namespace
}  // namespace skiff
