#include "algorithms/kernels/exp.h"

#include <functional>
#include <limits>

#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::differing;
using testing::Numbers;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::min();

struct Case {
  const char* name;
  void (*over_span)(std::span<float>, std::span<const float>);
  float (*scalar)(float);
  std::function<double(double)> exact;
  float low, high;  // where the relative error is promised
  double error;
};

std::vector<Case> cases() {
  return {
      {"exp", vexp, vexp, [](double x) { return std::exp(x); }, -87.3F, 88.7F, 1e-7},
      {"log", vlog, vlog, [](double x) { return std::log(x); }, 0.0F, 1e38F, 1.2e-7},
      {"log1p", vlog1p, vlog1p, [](double x) { return std::log1p(x); }, 0.0F, 1e38F, 2e-7},
      {"softplus", vsoftplus, vsoftplus, [](double x) { return std::log1p(std::exp(x)); }, -87.0F,
       80.0F, 2e-7},
      {"sigmoid", vsigmoid, vsigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -87.0F,
       87.0F, 2e-7},
      {"tanh", vtanh, vtanh, [](double x) { return std::tanh(x); }, -20.0F, 20.0F, 2e-7},
  };
}

TEST(ExpTest, LanesAndTailsEqualTheScalarTwin) {
  Numbers numbers(1);
  for (const Case& c : cases()) {
    for (std::size_t n = 0; n <= 40; ++n) {
      for (std::size_t offset = 0; offset < 3; ++offset) {
        std::vector<float> x = numbers.floats(n + offset, -120, 120), out(n + offset + 1, 7);
        c.over_span(std::span(out).subspan(offset, n), std::span(x).subspan(offset, n));
        for (std::size_t i = 0; i < n; ++i) {
          const float expected = c.scalar(x[i + offset]);
          ASSERT_EQ(differing({&out[i + offset], 1}, {&expected, 1}), 0) << c.name << x[i + offset];
        }
        ASSERT_EQ(out.back(), 7);
      }
    }
  }
}

// Steps through all bit patterns of the range with a stride coprime to everything.
double largest_error(const Case& c) {
  double largest = 0;
  for (const float sign : {1.0F, -1.0F}) {
    for (std::uint32_t b = 0; b < 0x7f800000U; b += 1009) {
      const float x = sign * std::bit_cast<float>(b);
      if (x < c.low || x > c.high) continue;
      const double exact = c.exact(static_cast<double>(x));
      if (std::fabs(exact) < static_cast<double>(kTiny)) continue;
      const double error = std::fabs((static_cast<double>(c.scalar(x)) - exact) / exact);
      largest = std::max(largest, error);
    }
  }
  return largest;
}

TEST(ExpTest, RelativeErrorsStayWithinTheirBounds) {
  for (const Case& c : cases()) {
    const double error = largest_error(c);
    EXPECT_LE(error, c.error) << c.name;
    ::testing::Test::RecordProperty(c.name, std::to_string(error * 1e9));
  }
}

TEST(ExpTest, EdgesOfTheRange) {
  EXPECT_EQ(vexp(0.0F), 1.0F);
  EXPECT_EQ(vexp(kInfinity), kInfinity);
  EXPECT_EQ(vexp(-kInfinity), 0.0F);
  EXPECT_EQ(vexp(88.73F), kInfinity);
  EXPECT_EQ(vexp(-104.0F), 0.0F);
  EXPECT_NEAR(vexp(-95.0F), std::exp(-95.0), 1e-45);  // gradual underflow
  EXPECT_EQ(vlog(1.0F), 0.0F);
  EXPECT_EQ(vlog(0.0F), -kInfinity);
  EXPECT_EQ(vlog(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(vlog(-1.0F)));
  EXPECT_EQ(vlog1p(kInfinity), kInfinity);
  EXPECT_EQ(vlog1p(-1.0F), -kInfinity);
  EXPECT_EQ(vlog1p(1e-20F), 1e-20F);
  EXPECT_EQ(vsoftplus(1000.0F), 1000.0F);
  EXPECT_EQ(vsoftplus(-1000.0F), 0.0F);
  EXPECT_EQ(vsigmoid(1000.0F), 1.0F);
  EXPECT_EQ(vsigmoid(-1000.0F), 0.0F);
  EXPECT_EQ(vtanh(50.0F), 1.0F);
  EXPECT_EQ(vtanh(-50.0F), -1.0F);
  EXPECT_TRUE(std::signbit(vtanh(-0.0F)));
  for (const Case& c : cases()) EXPECT_TRUE(std::isnan(c.scalar(NAN))) << c.name;
}

}  // namespace
}  // namespace skiff::kernels
