#include "algorithms/kernels/point_grid.h"

#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/kernels/rotated_group.h"
#include "tests/kernels/kernel_test.h"

namespace skiff::kernels {
namespace {

using testing::Numbers;

// Sums of 12 uniform numbers, now and then far out.
std::vector<float> gaussian_like(Numbers& numbers, std::size_t n) {
  std::vector<float> x(n);
  for (float& v : x) {
    v = -6;
    for (int i = 0; i < 12; ++i) v += numbers.uniform(0, 1);
    if (numbers.below(50) == 0) v *= 5;
  }
  return x;
}

double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI); }
double below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

TEST(PointGridTest, EveryCodeIsThatOfComparingAll) {
  for (const GaussianGridData* data : gaussian_grids()) {
    const PointGrid& grid = gaussian_grid(*data);
    const auto p = static_cast<std::size_t>(data->dimension);
    Numbers numbers(static_cast<std::uint64_t>(data->points));
    const std::size_t count = data->points > 1000 ? 2'000 : 40'000;
    const std::vector<float> x = gaussian_like(numbers, count * p + 3 * p);
    std::vector<std::uint16_t> fast(count + 3), all(count + 3);
    grid.nearest(fast, x);
    grid.nearest_of_all(all, x);
    ASSERT_EQ(fast, all) << data->dimension << " x " << data->points;
  }
}

TEST(PointGridTest, NoPointIsNearerThanTheOneChosen) {
  for (const GaussianGridData* data : gaussian_grids()) {
    if (data->points > 256) continue;
    const PointGrid& grid = gaussian_grid(*data);
    const auto p = static_cast<std::size_t>(data->dimension);
    Numbers numbers(7);
    const std::vector<float> x = gaussian_like(numbers, 500 * p);
    std::vector<std::uint16_t> codes(500);
    grid.nearest(codes, x);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto distance = [&](std::size_t c) {
        double sum = 0;
        for (std::size_t d = 0; d < p; ++d) {
          sum += std::pow(double(x[i * p + d]) - double(grid.points()[c * p + d]), 2);
        }
        return sum;
      };
      double least = 1e30;
      for (int c = 0; c < grid.size(); ++c) least = std::min(least, distance(std::size_t(c)));
      EXPECT_LE(distance(codes[i]), least * (1 + 1e-6) + 1e-6);
    }
  }
}

TEST(PointGridTest, OnABoundaryTheLowerIndexWins) {
  for (const int n : {2, 4, 16, 256}) {
    const PointGrid& grid = gaussian_grid(*find_gaussian_grid(1, n));
    for (int i = 0; i + 1 < n; ++i) {
      const float middle =
          0.5F * (grid.points()[std::size_t(i)] + grid.points()[std::size_t(i) + 1]);
      const std::vector<float> x(8, middle);
      std::vector<std::uint16_t> codes(8);
      grid.nearest(codes, x);
      for (const std::uint16_t c : codes) EXPECT_EQ(c, i);
      const float above = std::nextafter(middle, 10.0F);
      grid.nearest(std::span(codes).first(1), {&above, 1});
      EXPECT_EQ(codes[0], i + 1);
    }
  }
  const PointGrid square(2, {-1, -1, -1, 1, 1, -1, 1, 1});
  const float ties[] = {0, 0, -1, 0, 0, 1, 1, 0};
  std::vector<std::uint16_t> codes(4);
  square.nearest(codes, ties);
  EXPECT_EQ(codes, (std::vector<std::uint16_t>{0, 0, 1, 2}));
}

// Lloyd-Max: distortions, levels and midpoints of the unique optimum.
TEST(GaussianGridTest, OnALineTheyAreLloydsOptimum) {
  const struct {
    int n;
    double distortion;
    std::vector<double> levels;
  } rows[] = {{2, .363380228, {.79788456}},
              {3, .190174039, {0, 1.22400636}},
              {4, .117481848, {.45278003, 1.51041761}},
              {5, .079941127, {}},
              {8, .034547761, {.24509418, .75600528, 1.34390928, 2.15194570}},
              {9, .027853261, {}},
              {16,
               .009501008,
               {.12839503, .38804830, .65675912, .94234046, 1.25623120, 1.61804639, 2.06901723,
                2.73258957}},
              {32, .002504668, {}},
              {64, .000644240, {}},
              {128, .000163478, {}},
              {256, .000041185, {}}};
  for (const auto& row : rows) {
    const GaussianGridData* data = find_gaussian_grid(1, row.n);
    ASSERT_NE(data, nullptr);
    const std::span<const float> c = gaussian_grid(*data).points();
    double distortion = 1;
    for (int i = 0; i < row.n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double low = i == 0 ? -40 : 0.5 * (double(c[k - 1]) + c[k]);
      const double high = i + 1 == row.n ? 40 : 0.5 * (double(c[k]) + c[k + 1]);
      const double mass = low > 0 ? below(-low) - below(-high) : below(high) - below(low);
      const double mean = (density(low) - density(high)) / mass;
      EXPECT_NEAR(c[k], mean, 1e-6) << row.n;  // stationary, to the rounding of float
      EXPECT_FLOAT_EQ(c[k], -c[c.size() - 1 - k]);
      distortion += mass * (double(c[k]) * c[k] - 2 * c[k] * mean);
    }
    EXPECT_NEAR(distortion, row.distortion, 1e-8) << row.n;
    EXPECT_NEAR(data->distortion, row.distortion, 1e-8) << row.n;
    for (std::size_t i = 0; i < row.levels.size(); ++i) {
      EXPECT_NEAR(c[c.size() - row.levels.size() + i], row.levels[i], 2e-7) << row.n;
    }
  }
}

// By an integration of its own: a lattice of another step and offset than the one they came from.
TEST(GaussianGridTest, InThePlaneTheyAreAsGoodAsTheBestKnown) {
  const struct {
    int n;
    double best, tolerance;
  } rows[] = {{8, .2012063, .005},   {9, .1816046, .005},  {16, .1075983, .0005},
              {32, .0569580, .005},  {64, .0296061, .005}, {88, .0218630, .005},
              {128, .0152487, .005}, {256, .0077511, .005}};
  constexpr double kStep = 0.010;
  std::vector<float> x;
  std::vector<double> weights;
  for (int i = -575; i <= 575; ++i) {
    for (int j = -575; j <= 575; ++j) {
      const double a = (i + 0.123) * kStep, b = (j + 0.77) * kStep;
      if (a * a + b * b > 5.7 * 5.7) continue;
      x.insert(x.end(), {static_cast<float>(a), static_cast<float>(b)});
      weights.push_back(std::exp(-0.5 * (a * a + b * b)));
    }
  }
  for (const auto& row : rows) {
    const GaussianGridData* data = find_gaussian_grid(2, row.n);
    ASSERT_NE(data, nullptr);
    const PointGrid& grid = gaussian_grid(*data);
    std::vector<std::uint16_t> codes(weights.size());
    grid.nearest(codes, x);
    double error = 0, mass = 0, inner = 0, square = 0;
    std::vector<double> sums(std::size_t(row.n) * 3);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      for (std::size_t d = 0; d < 2; ++d) {
        const double z = x[2 * i + d], c = grid.points()[2 * std::size_t{codes[i]} + d];
        error += weights[i] * (z - c) * (z - c);
        inner += weights[i] * z * c;
        square += weights[i] * c * c;
        sums[3 * std::size_t{codes[i]} + d] += weights[i] * z;
      }
      sums[3 * std::size_t{codes[i]} + 2] += weights[i];
      mass += weights[i];
    }
    const double distortion = error / mass / 2;
    EXPECT_LE(distortion, row.best * (1 + row.tolerance)) << row.n;
    EXPECT_NEAR(distortion, data->distortion, 2e-4 * data->distortion) << row.n;
    EXPECT_NEAR(inner / mass, 2 * (1 - distortion), 1e-3) << row.n;  // centroids
    EXPECT_NEAR(square / mass, 2 * (1 - distortion), 1e-3) << row.n;
    for (int c = 0; c < row.n; ++c) {
      for (std::size_t d = 0; d < 2; ++d) {
        const std::size_t k = std::size_t(c);
        EXPECT_NEAR(grid.points()[2 * k + d], sums[3 * k + d] / sums[3 * k + 2], 4e-3) << row.n;
      }
    }
  }
}

TEST(RotatedGroupTest, ASharpGroupIsAsFarOffAsItsLevel) {
  const PointGrid& grid = gaussian_grid(*find_gaussian_grid(1, 16));
  for (const float value : {1.0F, 0.5F, -4.0F}) {
    std::vector<float> work(1024), back(1024);
    work[77] = value;
    std::vector<std::uint16_t> codes(1024);
    const float scale = encode_rotated(grid, work, codes, false);
    decode_rotated(grid, codes, scale, back);
    double error = 0;
    for (std::size_t i = 0; i < 1024; ++i) {
      error += std::pow(double(back[i]) - (i == 77 ? double(value) : 0.0), 2);
    }
    // Every rotated entry is +-1: off by 1 - .94234046 wherever it is.
    EXPECT_NEAR(error / (double(value) * value), .0033246, 1e-6);
  }
}

TEST(RotatedGroupTest, ZerosStayZerosAndTooLargeIsInfinite) {
  const PointGrid& grid = gaussian_grid(*find_gaussian_grid(2, 16));
  std::vector<std::uint16_t> codes(32);
  std::vector<float> zeros(64), back(64, 9.0F);
  EXPECT_EQ(encode_rotated(grid, zeros, codes, false), 0.0F);
  decode_rotated(grid, codes, 0, back);
  for (const float v : back) EXPECT_EQ(v, 0.0F);
  std::vector<float> tiny(64, 1e-40F), huge(64, 1e30F);
  EXPECT_EQ(encode_rotated(grid, tiny, codes, true), 0.0F);
  EXPECT_TRUE(std::isinf(encode_rotated(grid, huge, codes, false)));
}

}  // namespace
}  // namespace skiff::kernels
