// HIGGS: matrices without chance, distortions, the unbiased scale, invariances, storage.
#include <gmock/gmock.h>

#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/kernels/rotated_group.h"
#include "algorithms/quantization/higgs_values.h"
#include "sim/core/distributions.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

const kernels::GaussianGridData* grid(int p, int n) {
  const auto* found = kernels::find_gaussian_grid(p, n);
  EXPECT_NE(found, nullptr);
  return found;
}

std::vector<float> decoded_values(const HiggsFormat& format, int rows, int cols,
                                  std::span<const float> w, std::int64_t seed = 1,
                                  bool unbiased = false) {
  std::vector<float> out(w.size());
  higgs_values(format, rows, cols, w, seed, unbiased)->to_dense(out);
  return out;
}

enum class Law { kGauss, kLaplace, kStudent5, kOutliers };

std::vector<float> drawn(Law law, std::size_t n, std::uint64_t seed) {
  std::vector<float> v(n);
  Stream stream(seed, "weights");
  for (float& x : v) {
    const double z = normal(stream);
    double value = z;
    if (law == Law::kLaplace) {
      const double u = stream.uniform() - 0.5;
      value = (u < 0 ? 1 : -1) * std::log(1 - 2 * std::abs(u) + 1e-300);
    } else if (law == Law::kStudent5) {
      double squares = 0;
      for (int i = 0; i < 5; ++i) squares += std::pow(normal(stream), 2);
      value = z / std::sqrt(squares / 5);
    } else if (law == Law::kOutliers && stream.uniform() < 0.005) {
      value = 10 * z;
    }
    x = static_cast<float>(value);
  }
  return v;
}

// The 4 x 64 matrix as one group a row, with signs of our choice.
struct Rotated {
  std::vector<std::uint16_t> codes;
  std::vector<float> scales, values;
};
Rotated rotate(int n, bool signs, bool unbiased) {
  const kernels::PointGrid& points = kernels::gaussian_grid(*grid(1, n));
  const std::vector<float> w = sine_matrix();
  Rotated out;
  for (std::size_t r = 0; r < 4; ++r) {
    std::vector<float> work(w.begin() + std::ptrdiff_t(64 * r),
                            w.begin() + std::ptrdiff_t(64 * r + 64));
    const auto sign = [&](std::size_t j) { return signs && j % 3 == 1 ? -1.0F : 1.0F; };
    for (std::size_t j = 0; j < 64; ++j) work[j] *= sign(j);
    std::vector<std::uint16_t> codes(64);
    out.scales.push_back(kernels::encode_rotated(points, work, codes, unbiased));
    kernels::decode_rotated(points, codes, out.scales.back(), work);
    for (std::size_t j = 0; j < 64; ++j) out.values.push_back(work[j] * sign(j));
    out.codes.insert(out.codes.end(), codes.begin(), codes.end());
  }
  return out;
}

std::string hex_of_row_0(const Rotated& r) {
  std::string text;
  for (std::size_t i = 0; i < 64; ++i) text += "0123456789abcdef"[r.codes[i]];
  return text;
}

TEST(HiggsTest, AMatrixWithoutChance) {
  const std::vector<float> w = sine_matrix();
  const Rotated plain = rotate(16, false, false), turned = rotate(16, true, false);
  const float scales[] = {.710449219F, .779296875F, .842285156F, .926757812F};
  for (std::size_t r = 0; r < 4; ++r) EXPECT_NEAR(plain.scales[r], scales[r], 1e-9);
  EXPECT_EQ(hex_of_row_0(plain),
            "877788a777689766aae50aeec633ddf37778877778887778976699c67758b655");
  EXPECT_EQ(hex_of_row_0(turned),
            "8f8879888a7688a78ea7489a97868ad76f79853789e7278e8357a795467c9407");
  EXPECT_NEAR(relative_error(plain.values, w), .078057130, 1e-7);
  EXPECT_NEAR(relative_error(turned.values, w), .049462647, 1e-7);
  EXPECT_NEAR(relative_error(rotate(4, false, false).values, w), .322196932, 1e-7);
  EXPECT_NEAR(relative_error(rotate(4, true, false).values, w), .251340333, 1e-7);
}

TEST(HiggsTest, TheUnbiasedScalesOfThatMatrix) {
  const Rotated r = rotate(16, false, true);
  const float scales[] = {.850585938F, .879882812F, .994628906F, 1.198242188F};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(r.scales[i], scales[i], 1e-9);
  EXPECT_NEAR(relative_error(r.values, sine_matrix()), .071233325, 1e-7);
}

TEST(HiggsTest, DistortionIsTheGridsWhateverTheWeightsWere) {
  constexpr int kRows = 1024, kCols = 1024;
  for (const auto& [p, n] :
       {std::pair{1, 4}, {1, 8}, {1, 16}, {2, 16}, {2, 64}, {2, 88}, {2, 256}, {4, 256}}) {
    const HiggsFormat format{grid(p, n), 1024, true};
    for (const Law law : {Law::kGauss, Law::kLaplace, Law::kStudent5}) {
      const std::vector<float> w = drawn(law, std::size_t{kRows} * kCols, 11);
      const std::vector<float> what = decoded_values(format, kRows, kCols, w);
      const double error = relative_error(what, w);
      EXPECT_NEAR(error / format.grid->distortion, 1, 0.01) << p << " x " << n;
      double inner = 0, square = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        inner += double(what[i]) * w[i];
        square += double(what[i]) * what[i];
      }
      EXPECT_NEAR(inner / square, 1, 0.005) << p << " x " << n;  // points are centroids
    }
  }
}

TEST(HiggsTest, UnbiasedIsRightAlongTheWeights) {
  const HiggsFormat format{grid(2, 16), 1024, true};
  const std::vector<float> w = drawn(Law::kGauss, 256 * 1024, 3);
  const std::vector<float> what = decoded_values(format, 256, 1024, w, 1, true);
  double inner = 0, square = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    inner += double(what[i]) * w[i];
    square += double(w[i]) * w[i];
  }
  EXPECT_NEAR(inner / square, 1, 0.003);
}

// Of M clients that each quantize the same vector with signs of their own.
TEST(HiggsTest, AveragingRemovesTheErrorOnlyIfUnbiased) {
  const HiggsFormat format{grid(2, 16), 1024, true};
  const double d = format.grid->distortion;
  const std::vector<float> w = drawn(Law::kGauss, 16 * 1024, 5);
  for (const bool unbiased : {false, true}) {
    std::vector<float> sum(w.size());
    for (int m = 1; m <= 100; ++m) {
      const std::vector<float> one = decoded_values(format, 16, 1024, w, 100 + m, unbiased);
      for (std::size_t i = 0; i < w.size(); ++i) sum[i] += one[i];
      if (m != 1 && m != 10 && m != 100) continue;
      std::vector<float> mean = sum;
      for (float& v : mean) v /= static_cast<float>(m);
      const double law = unbiased ? d / ((1 - d) * m) : d * d + d * (1 - d) / m;
      EXPECT_NEAR(relative_error(mean, w) / law, 1, unbiased ? 0.10 : 0.05) << m;
    }
  }
}

TEST(HiggsTest, AgainstRoundToNearestAndNf4) {
  constexpr int kRows = 512, kCols = 1024;
  const struct {
    Law law;
    double ratio, tolerance;
  } rows[] = {{Law::kGauss, 1.50, .05},
              {Law::kLaplace, 2.56, .10},
              {Law::kStudent5, 2.79, .20},
              {Law::kOutliers, 4.9, .4}};
  const auto rtn = make("rtn", {{"bits", "4"}, {"group", "64"}});
  const auto nf4 = make("nf4"), higgs = make("higgs", {{"bits", "4"}, {"group", "1024"}});
  for (const auto& row : rows) {
    const std::vector<float> w = drawn(row.law, std::size_t{kRows} * kCols, 21);
    const double error = relative_error(compressed(*higgs, kRows, kCols, w), w);
    EXPECT_NEAR(relative_error(compressed(*rtn, kRows, kCols, w), w) / error, row.ratio,
                row.tolerance);
    const double nf4_ratio = relative_error(compressed(*nf4, kRows, kCols, w), w) / error;
    if (row.law == Law::kGauss) {
      EXPECT_NEAR(nf4_ratio, 1.09, .03);
    } else if (row.law == Law::kLaplace) {
      EXPECT_NEAR(nf4_ratio, 1.39, .05);
    }
  }
}

TEST(HiggsTest, WidthsThatAreNoMultipleOfTheGroup) {
  const HiggsFormat format{grid(2, 256), 64, true};
  for (const int cols : {1, 33, 64, 65, 172, 784}) {
    const std::vector<float> w = drawn(Law::kGauss, std::size_t(3 * cols), 9);
    const auto stored = higgs_values(format, 3, cols, w, 4, false);
    EXPECT_EQ(stored->bytes(), Bytes(3 * ((cols + 63) / 64) * (64 / 2 + 2))) << cols;
    std::vector<float> what(w.size());
    stored->to_dense(what);
    EXPECT_LT(relative_error(what, w), 0.012) << cols;
  }
  EXPECT_EQ(best_group(784, 4), 64);
  EXPECT_EQ(best_group(1024, 4), 1024);
  EXPECT_EQ(best_group(64, 4), 64);
  EXPECT_EQ(best_group(4096, 2), 1024);
}

TEST(HiggsTest, ActualBytesFollowTheFormulaForEveryGrid) {
  for (const kernels::GaussianGridData* data : kernels::gaussian_grids()) {
    const HiggsFormat format{data, 256, true};
    const std::vector<float> w = drawn(Law::kGauss, 4 * 512, 2);
    const auto stored = higgs_values(format, 4, 512, w, 1, false);
    std::int64_t bytes = 0;
    for (const StoredArray& array : stored->arrays()) bytes += std::int64_t(array.bytes.size());
    EXPECT_EQ(Bytes(bytes), stored->bytes());
    const double bits = std::log2(double(data->points)) / data->dimension + 16.0 / 256;
    const double actual = 8.0 * double(bytes) / (4 * 512);
    EXPECT_GE(actual, bits - 1e-9) << data->points;
    EXPECT_LE(actual, bits * 1.06) << data->points;  // 128-bit words of digits
  }
}

TEST(HiggsTest, RowsAndPowersOfTwoAndSeeds) {
  const HiggsFormat format{grid(2, 64), 128, true};
  const std::vector<float> w = drawn(Law::kGauss, 64 * 512, 13);
  const std::vector<float> what = decoded_values(format, 64, 512, w);
  std::vector<float> swapped = w, scaled = w;
  std::swap_ranges(swapped.begin(), swapped.begin() + 512, swapped.begin() + 512);
  for (float& v : scaled) v *= 8;
  std::vector<float> expected = what;
  std::swap_ranges(expected.begin(), expected.begin() + 512, expected.begin() + 512);
  EXPECT_EQ(decoded_values(format, 64, 512, swapped), expected);
  expected = what;
  for (float& v : expected) v *= 8;
  EXPECT_EQ(decoded_values(format, 64, 512, scaled), expected);
  const double first = relative_error(what, w);
  for (const std::int64_t seed : {2, 3, 4}) {
    const std::vector<float> other = decoded_values(format, 64, 512, w, seed);
    EXPECT_NE(other, what);
    EXPECT_NEAR(relative_error(other, w) / first, 1, 0.02);
  }
}

// y = W x from codes: rotate x once, then one sum of levels a group.
TEST(HiggsTest, TheProductInTheRotatedSpaceIsThatOfTheWeights) {
  const HiggsFormat format{grid(1, 16), 64, false};
  const kernels::PointGrid& points = kernels::gaussian_grid(*format.grid);
  const std::vector<float> w = drawn(Law::kGauss, 8 * 128, 1), x = drawn(Law::kGauss, 128, 2);
  const std::vector<float> what = decoded_values(format, 8, 128, w);
  for (std::size_t r = 0; r < 8; ++r) {
    double dense = 0, rotated = 0, size = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      std::vector<float> work(w.begin() + std::ptrdiff_t(r * 128 + k * 64),
                              w.begin() + std::ptrdiff_t(r * 128 + k * 64 + 64));
      std::vector<std::uint16_t> codes(64);
      const float scale = kernels::encode_rotated(points, work, codes, false);
      std::vector<float> levels(64);
      points.values(levels, codes);
      // x rotated by decoding "codes" that are x itself: H is symmetric.
      for (std::size_t j = 0; j < 64; ++j) {
        double xr = 0;
        for (std::size_t i = 0; i < 64; ++i) {
          xr += (__builtin_parityll(i & j) != 0 ? -1 : 1) * double(x[k * 64 + i]) / 8;
        }
        rotated += double(scale) * levels[j] * xr;
        dense += double(what[r * 128 + k * 64 + j]) * x[k * 64 + j];
        size += std::abs(double(what[r * 128 + k * 64 + j]) * x[k * 64 + j]);
      }
    }
    EXPECT_NEAR(rotated, dense, 1e-5 * size);
  }
}

TEST(HiggsTest, ItsOwnEstimateOfTheErrorHolds) {
  const std::vector<float> w = drawn(Law::kLaplace, 256 * 1024, 31);
  for (const char* scale : {"mse", "unbiased"}) {
    const auto higgs = make("higgs", {{"bits", "3"}, {"scale", scale}});
    const Model model = matrix_model(256, 1024, w);
    EXPECT_NEAR(relative_error(compressed(*higgs, 256, 1024, w), w),
                higgs->relative_error(*model.layout)[0], 0.02 * 0.03);
  }
}

}  // namespace
}  // namespace skiff::testing
