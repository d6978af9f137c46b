#include <limits>
#include <map>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

std::shared_ptr<const Codec> random_k(const char* density, const char* feedback = "false") {
  return codec("random-k", {{"density", density}, {"error_feedback", feedback}});
}

TEST(RandomKTest, IsUnbiasedWithTheVarianceOfTheClosedForm) {
  const auto c = random_k("0.125");  // 8 of 64
  EXPECT_TRUE(c->unbiased());
  EXPECT_DOUBLE_EQ(c->variance(64), 7);
  const MonteCarlo measured = monte_carlo(*c, sines(64), 20000);
  EXPECT_NEAR(measured.variance, 7.0, 7.0 * 0.005);
  EXPECT_LT(measured.bias, 1.5 * std::sqrt(7.0 / 20000));
}

TEST(RandomKTest, WithErrorFeedbackItContractsUnscaled) {
  const auto c = random_k("0.125", "true");
  EXPECT_DOUBLE_EQ(c->contraction(64), 0.125);
  EXPECT_LT(c->variance(64), 0);
  const MonteCarlo measured = monte_carlo(*c, sines(64), 20000);  // a new state each time
  EXPECT_NEAR(measured.variance, 1 - 0.125, 0.005);
}

TEST(RandomKTest, EverySubsetIsEquallyLikely) {
  const auto c = random_k("0.4");  // 2 of 5: ten subsets
  std::map<int, int> seen;
  constexpr int kDraws = 20000;
  for (std::uint64_t t = 0; t < kDraws; ++t) {
    std::vector<float> v = {1, 1, 1, 1, 1};
    encode(*c, v, nullptr, t);
    int subset = 0;
    for (int j = 0; j < 5; ++j) subset |= (v[static_cast<std::size_t>(j)] != 0 ? 1 : 0) << j;
    ++seen[subset];
  }
  EXPECT_EQ(seen.size(), 10u);
  double chi = 0;
  for (const auto& [subset, count] : seen) chi += std::pow(count - kDraws / 10.0, 2);
  EXPECT_LT(chi / (kDraws / 10.0), 27.9);  // 9 degrees of freedom, 0.1 %
}

TEST(RandomKTest, SendsASeedAndTheScaledValues) {
  const auto c = random_k("0.25");
  std::vector<float> v = {1, 2, 3, 4, 5, 6, 7, 8};
  const Payload payload = encode(*c, v);
  ASSERT_EQ(payload.bytes.size(), 16u);
  std::vector<float> sent(2), kept;
  std::memcpy(sent.data(), payload.bytes.data() + 8, 8);
  for (std::size_t j = 0; j < v.size(); ++j) {
    if (v[j] == 0) continue;
    kept.push_back(v[j]);
    EXPECT_EQ(v[j], 4 * static_cast<float>(j + 1));
  }
  EXPECT_EQ(kept, sent);
  std::uint64_t seed = 0;
  std::memcpy(&seed, payload.bytes.data(), 8);
  EXPECT_EQ(seed, stream().bits64());
}

TEST(RandomKTest, SizesFollowFromLengthAndDensity) {
  EXPECT_EQ(declared(*random_k("0.01"), 199210), 8 + 4 * 1992);
  EXPECT_EQ(declared(*random_k("0.5"), 1), 12);
  EXPECT_EQ(declared(*random_k("1"), 300), 1208);
}

TEST(RandomKTest, AnotherStreamDrawsOtherEntries) {
  const auto c = random_k("0.1");
  std::vector<float> a = sines(200), b = a;
  encode(*c, a, nullptr, 1);
  encode(*c, b, nullptr, 2);
  EXPECT_NE(a, b);
}

TEST(RandomKTest, ScalingHoldsAtTheGreatestFloat) {
  const auto c = random_k("0.5");
  std::vector<float> v(4, std::numeric_limits<float>::max());
  const Payload payload = encode(*c, v);
  EXPECT_EQ(bits(decode(*c, payload, 4)), bits(v));
}

TEST(RandomKTest, RefusesDamagedPayloads) {
  const auto c = random_k("0.25");
  std::vector<float> v = sines(8);
  Payload payload = encode(*c, v);
  put_float(payload, 8, std::numeric_limits<float>::infinity());
  EXPECT_THROW(decode(*c, payload, 8), DataError);
  payload.bytes.resize(7);
  EXPECT_THROW(decode(*c, payload, 8), DataError);
}

}  // namespace
}  // namespace skiff::testing
