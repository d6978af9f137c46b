#include "algorithms/communication/error_feedback.h"

#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

class ErrorFeedbackTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<const Codec> with_feedback(const char* density) const {
    return codec(GetParam(), {{"density", density}, {"error_feedback", "true"}});
  }
};

TEST_P(ErrorFeedbackTest, SentPlusResidualIsInputPlusOldResidualToTheBit) {
  const auto c = with_feedback("0.2");
  State state;
  for (std::uint64_t round = 0; round < 30; ++round) {
    std::vector<float> v = sines(131);
    for (float& x : v) x *= 1.0f + 0.1f * static_cast<float>(round);
    const std::span<float> residual = state.array<float>(kResidual, v.size());
    std::vector<float> expected(v.size());
    for (std::size_t j = 0; j < v.size(); ++j) expected[j] = v[j] + residual[j];
    encode(*c, v, &state, round);
    for (std::size_t j = 0; j < v.size(); ++j) {
      ASSERT_EQ(v[j] + residual[j], expected[j]) << round << " " << j;
      ASSERT_TRUE(v[j] == 0 || residual[j] == 0);
    }
  }
}

// What was not sent comes later: the sum of all messages follows the sum of all inputs.
TEST_P(ErrorFeedbackTest, NothingIsLost) {
  const auto c = with_feedback("0.25");
  const std::vector<float> v = sines(64);
  State state;
  std::vector<double> total(v.size());
  constexpr int kRounds = 400;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    std::vector<float> sent = v;
    encode(*c, sent, &state, round);
    for (std::size_t j = 0; j < v.size(); ++j) total[j] += sent[j];
  }
  const std::span<float> residual = state.array<float>(kResidual, v.size());
  for (std::size_t j = 0; j < v.size(); ++j) {
    EXPECT_NEAR(total[j] + residual[j], kRounds * double(v[j]), 2e-3);
    EXPECT_LT(std::abs(residual[j]), 60 * std::abs(v[j]) + 10);
  }
}

TEST_P(ErrorFeedbackTest, TheResidualIsAllThatIsKept) {
  const auto c = with_feedback("0.25");
  State state;
  std::vector<float> v = sines(100);
  encode(*c, v, &state);
  EXPECT_TRUE(c->keeps_state());
  EXPECT_FALSE(c->unbiased());
  EXPECT_EQ(state.bytes(), Bytes(400));
  EXPECT_EQ(c->state_bytes(*flat_layout(100)), Bytes(400));
}

TEST_P(ErrorFeedbackTest, WithFullDensityNothingIsKeptBack) {
  const auto c = with_feedback("1");
  State state;
  std::vector<float> v = sines(50);
  const std::vector<float> before = v;
  encode(*c, v, &state);
  EXPECT_EQ(bits(v), bits(before));
  for (const float e : state.array<float>(kResidual, 50)) EXPECT_EQ(e, 0);
}

TEST_P(ErrorFeedbackTest, AResidualThatOverflowsStaysFinite) {
  const auto c = with_feedback("0.5");
  constexpr float most = std::numeric_limits<float>::max();
  State state;
  for (std::uint64_t round = 0; round < 8; ++round) {
    std::vector<float> v = {most, -most, most, -most};
    const Payload payload = encode(*c, v, &state, round);
    EXPECT_EQ(bits(decode(*c, payload, 4)), bits(v));
  }
  for (const float e : state.array<float>(kResidual, 4)) EXPECT_TRUE(std::isfinite(e));
}

INSTANTIATE_TEST_SUITE_P(BiasedCodecs, ErrorFeedbackTest, ::testing::Values("top-k", "random-k"),
                         [](const auto& param) {
                           return std::string(param.param) == "top-k" ? "TopK" : "RandomK";
                         });

}  // namespace
}  // namespace skiff::testing
