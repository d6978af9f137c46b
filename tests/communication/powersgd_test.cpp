#include <limits>

#include "tests/communication/codec_test.h"

namespace skiff::testing {
namespace {

LayoutPtr matrices() {  // a matrix, its bias, a matrix that lies the other way round
  auto layout = std::make_shared<Layout>();
  layout->add("a.weight", 12, 30);
  layout->add("a.bias", 12, 1);
  layout->add("b.weight", 25, 9, Order::kInOut);
  return layout;
}

// sum of `rank` outer products of sines.
std::vector<float> low_rank(std::size_t rows, std::size_t cols, int rank) {
  std::vector<float> m(rows * cols);
  for (int k = 0; k < rank; ++k) {
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) {
        m[i * cols + j] += float(std::sin(1 + double(i) * (k + 1)) * std::cos(double(j) + 2 * k));
      }
    }
  }
  return m;
}

double distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
  return std::sqrt(sum);
}

TEST(PowerSgdTest, SizesAreThoseOfTheFactors) {
  const auto layout = matrices();
  EXPECT_EQ(codec("powersgd", {{"rank", "2"}})->bytes(*layout).value(),
            4 * (2 * (12 + 30) + 12 + 2 * (25 + 9)));
  // Factors of rank 7 of the second matrix would be longer than itself: 238 of 225.
  EXPECT_EQ(codec("powersgd", {{"rank", "7"}})->bytes(*layout).value(),
            4 * (7 * (12 + 30) + 12 + 225));
}

TEST(PowerSgdTest, MatricesOfLowRankComeThroughInOneMessage) {
  const auto layout = matrices();
  for (const int rank : {1, 2}) {
    std::vector<float> v = sines(layout->size);
    const std::vector<float> a = low_rank(12, 30, rank), b = low_rank(9, 25, rank);
    std::copy(a.begin(), a.end(), v.begin());
    std::copy(b.begin(), b.end(), v.begin() + 360 + 12);
    const std::vector<float> before = v;
    State state;
    const auto c = codec("powersgd", {{"rank", "2"}});
    c->encode(*layout, v, state, stream());
    EXPECT_LT(distance(v, before), 2e-6 * std::sqrt(squared_norm(before))) << rank;
    for (std::size_t i = 360; i < 372; ++i) EXPECT_EQ(v[i], before[i]);  // the bias, bit for bit
  }
}

TEST(PowerSgdTest, TheReceiverReadsWhatTheSenderKeeps) {
  const auto layout = matrices();
  const auto c = codec("powersgd", {{"rank", "2"}});
  State state;
  for (std::uint64_t round = 0; round < 4; ++round) {
    std::vector<float> v = sines(layout->size), read(layout->size);
    const Payload payload = c->encode(*layout, v, state, stream(round));
    c->decode(*layout, payload, read);
    EXPECT_EQ(bits(read), bits(v));
    EXPECT_EQ(payload.size(), c->bytes(*layout));
  }
  EXPECT_EQ(state.bytes(), c->state_bytes(*layout));
  EXPECT_EQ(state.bytes().value(), 4 * (597 + 2 * 30 + 2 * 25));
}

// Without feedback's help (the residual is cleared), repeating one matrix is subspace iteration: it
// ends at the best approximation of rank r. Singular values here: 8, 4, 2, 1.
TEST(PowerSgdTest, TheWarmStartFindsTheBestApproximation) {
  auto layout = std::make_shared<Layout>();
  layout->add("diagonal", 16, 16);
  std::vector<float> m(256);
  for (std::size_t k = 0; k < 4; ++k) m[17 * k] = float(8 >> k);
  const auto c = codec("powersgd", {{"rank", "2"}});
  State state;
  double error = 0;
  for (std::uint64_t round = 0; round < 30; ++round) {
    std::vector<float> v = m;
    c->encode(*layout, v, state, stream(round));
    error = distance(v, m);
    state.erase("error_feedback");
  }
  EXPECT_NEAR(error, std::sqrt(2.0 * 2 + 1), 1e-4);
}

// The error of a message never exceeds the matrix, and feedback sends all of it in the end: the
// mean of what was sent tends to the matrix.
TEST(PowerSgdTest, FeedbackSendsEverythingInTheEnd) {
  auto layout = std::make_shared<Layout>();
  layout->add("full", 20, 20);
  std::vector<float> m = sines(400);
  const auto c = codec("powersgd", {{"rank", "1"}});
  State state;
  std::vector<double> sum(400);
  constexpr int kRounds = 200;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    std::vector<float> v = m;
    c->encode(*layout, v, state, stream(round));
    for (std::size_t i = 0; i < 400; ++i) sum[i] += double(v[i]) / kRounds;
  }
  const std::vector<float> mean(sum.begin(), sum.end());
  EXPECT_LT(distance(mean, m), 0.1 * std::sqrt(squared_norm(m)));
}

TEST(PowerSgdTest, ZerosAndExtremesStayFinite) {
  const auto layout = matrices();
  const auto c = codec("powersgd", {{"rank", "3"}});
  State state;
  for (const float size : {0.0f, std::numeric_limits<float>::max(), 1e-42f, 1.0f}) {
    std::vector<float> v(layout->size, size), read(layout->size);
    c->decode(*layout, c->encode(*layout, v, state, stream()), read);
    EXPECT_EQ(bits(read), bits(v));
    for (const float x : read) EXPECT_TRUE(std::isfinite(x));
  }
}

}  // namespace
}  // namespace skiff::testing
