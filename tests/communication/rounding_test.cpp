// Natural compression, scaled signs and ternary values.

#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

TEST(NaturalTest, IsUnbiasedWithTheVarianceOfTheClosedForm) {
  const std::vector<float> v = sines(64);
  const auto c = codec("natural");
  double exact = 0;
  for (const float x : v) {
    const double a = std::abs(double(x)), below = std::exp2(std::floor(std::log2(a)));
    exact += (a - below) * (2 * below - a) / squared_norm(v);
  }
  EXPECT_NEAR(exact, .04857, 5e-6);
  const MonteCarlo measured = monte_carlo(*c, v, 20000);
  EXPECT_NEAR(measured.variance, exact, exact * 0.005);
  EXPECT_LT(measured.bias, 1.5 * std::sqrt(exact / 20000));
  EXPECT_EQ(c->variance(64), 0.125);
  EXPECT_TRUE(c->unbiased());
}

TEST(NaturalTest, TheWorstNumberHasAnEighth) {  // 4/3 between 1 and 2: (1/3)(2/3) / (16/9) = 1/8
  const MonteCarlo measured =
      monte_carlo(*codec("natural"), std::vector<float>(100, 4 / 3.0f), 4000);
  EXPECT_NEAR(measured.variance, 0.125, 0.001);
}

TEST(NaturalTest, PowersOfTwoPassAndBytesAreNineBitCodes) {
  std::vector<float> v = {1, -2, 0, 0.5f, -0x1p-126f, 0x1p127f};
  const std::vector<float> before = v;
  const Payload payload = encode(*codec("natural"), v);
  EXPECT_EQ(v, before);
  // codes 127, 256 + 128, 0, 126, 257, 254 in 9 bits each, from the lowest bit on
  EXPECT_EQ(octets(payload), (std::vector<int>{0x7f, 0x00, 0x03, 0xf0, 0x13, 0xd0, 0x1f}));
  EXPECT_EQ(declared(*codec("natural"), 199210), 224112);  // 3.56 times less than float32
}

TEST(NaturalTest, TheSmallestAndTheGreatestNumbers) {
  const float tiny = 0x1p-128f;  // between 0 and 2^-126: up with probability 1/4
  const MonteCarlo measured = monte_carlo(*codec("natural"), std::vector<float>(200, tiny), 2000);
  EXPECT_NEAR(measured.variance, 3, 0.05);
  EXPECT_LT(measured.bias, 1.5 * std::sqrt(3.0 / 2000));
  std::vector<float> v(50, std::numeric_limits<float>::max());
  encode(*codec("natural"), v);
  for (const float x : v) EXPECT_EQ(x, 0x1p127f);
}

TEST(NaturalTest, RefusesWhatNoSenderMakes) {
  const auto c = codec("natural");
  std::vector<float> v = {1};
  Payload payload = encode(*c, v);
  for (const auto& [low, high] : {std::pair{255, 0}, {0, 1}, {127, 2}}) {  // inf, -0, padding
    payload.bytes = {static_cast<std::byte>(low), static_cast<std::byte>(high)};
    EXPECT_THROW(decode(*c, payload, 1), DataError) << low;
  }
}

TEST(SignTest, ErrorEqualsTheClosedForm) {
  const std::vector<float> v = sines(64);
  const auto c = codec("sign", {{"error_feedback", "false"}});
  EXPECT_NEAR(relative_error(*c, v), 1 - .8191898, 1e-6);
  EXPECT_DOUBLE_EQ(c->contraction(64), 1.0 / 64);
  std::vector<float> one(64);
  one[5] = 3;  // the worst case: the bound is met
  EXPECT_NEAR(relative_error(*c, one), 1 - 1.0 / 64, 1e-6);
}

TEST(SignTest, BytesAreAScaleAndSigns) {
  std::vector<float> v = {1, -3, 0, -2, 4, 1, -1, 2, -4};
  const Payload payload = encode(*codec("sign", {{"error_feedback", "false"}}), v);
  EXPECT_EQ(octets(payload), (std::vector<int>{0, 0, 0, 0x40, 0b01001010, 0b1}));  // 2.0f
  EXPECT_EQ(v, (std::vector<float>{2, -2, 2, -2, 2, 2, -2, 2, -2}));
  EXPECT_EQ(declared(*codec("sign", {{"error_feedback", "false"}}), 199210), 4 + 24902);
}

// Section 3 of the paper: along f(x) = eps |x_1 + x_2| + |x_1 - x_2| from (1, 1) the signs of the
// subgradients cancel in x_1 + x_2, so descent by signs alone never moves it; feedback does.
TEST(SignTest, FeedbackPassesTheCounterexample) {
  const double eps = 0.5;
  const auto descend = [&](bool feedback) {
    const auto c = codec("sign", {{"error_feedback", feedback ? "true" : "false"}});
    State state;
    double x[2] = {1, 1};
    for (int t = 0; t < 5000; ++t) {
      const double sum = x[0] + x[1] > 0 ? eps : -eps, difference = x[0] - x[1] > 0 ? 1 : -1;
      const double step = 0.01;
      std::vector<float> g = {float(step * (sum + difference)), float(step * (sum - difference))};
      encode(*c, g, &state);
      x[0] -= double(g[0]), x[1] -= double(g[1]);
    }
    return eps * std::abs(x[0] + x[1]) + std::abs(x[0] - x[1]);
  };
  EXPECT_GT(descend(false), 0.9);
  EXPECT_LT(descend(true), 0.1);
}

TEST(SignTest, KeepsWhatItDidNotSend) {
  const auto c = codec("sign", {{"error_feedback", "true"}});
  State state;
  const std::vector<float> v = sines(40);
  std::vector<float> sent = v;
  encode(*c, sent, &state);
  const std::span<float> residual = state.array<float>("error_feedback", 40);
  for (std::size_t j = 0; j < 40; ++j) EXPECT_EQ(residual[j], v[j] - sent[j]);
}

TEST(TernaryTest, IsUnbiasedWithTheVarianceOfTheClosedForm) {
  const std::vector<float> v = sines(64);
  double most = 0, sum = 0;
  for (const float x : v) most = std::max(most, std::abs(double(x))), sum += std::abs(double(x));
  const double exact = most * sum / squared_norm(v) - 1;
  const auto c = codec("ternary");
  const MonteCarlo measured = monte_carlo(*c, v, 20000);
  EXPECT_NEAR(measured.variance, exact, exact * 0.005);
  EXPECT_LT(measured.bias, 1.5 * std::sqrt(exact / 20000));
  EXPECT_DOUBLE_EQ(c->variance(64), 3.5);
  EXPECT_LE(exact, 3.5);
}

TEST(TernaryTest, TheBoundIsMetWhereThePaperMeetsIt) {
  // One entry of 1 and n - 1 of t = 1 / (sqrt(n) + 1): |v|_1 / |v|^2 = (sqrt(n) + 1) / 2.
  std::vector<float> v(64, 1.0f / 9);
  v[0] = 1;
  EXPECT_NEAR(monte_carlo(*codec("ternary"), v, 20000).variance, 3.5, 3.5 * 0.01);
}

TEST(TernaryTest, BytesAreFiveValuesEach) {
  std::vector<float> v = {2, -2, 0, 2, 0, -2, 2};
  const Payload payload = encode(*codec("ternary"), v);
  EXPECT_EQ(octets(payload), (std::vector<int>{0, 0, 0, 0x40, 1 + 3 * 2 + 27, 2 + 3}));
  EXPECT_EQ(v, (std::vector<float>{2, -2, 0, 2, 0, -2, 2}));
  EXPECT_EQ(declared(*codec("ternary"), 199210), 4 + 39842);
  Payload bad = payload;
  bad.bytes[4] = std::byte{243};
  EXPECT_THROW(decode(*codec("ternary"), bad, 7), DataError);
  bad = payload;
  bad.bytes[5] = std::byte{9};  // a third digit, of two
  EXPECT_THROW(decode(*codec("ternary"), bad, 7), DataError);
}

}  // namespace
}  // namespace skiff::testing
