// rtn, nf4, hqq and gptq against figures that need no random numbers.
#include <gmock/gmock.h>

#include "algorithms/kernels/half.h"
#include "algorithms/quantization/gptq_columns.h"
#include "algorithms/quantization/table_values.h"
#include "sim/core/distributions.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

double sine_error(const std::string& name, const Keys& keys) {
  const std::vector<float> w = sine_matrix();
  return relative_error(compressed(*make(name, keys), 4, 64, w), w);
}

std::vector<float> gaussians(std::size_t n, std::uint64_t seed) {
  std::vector<float> v(n);
  Stream stream(seed, "gaussians");
  for (float& x : v) x = static_cast<float>(normal(stream));
  return v;
}

TEST(RtnTest, ErrorsOfAMatrixWithoutChance) {
  const struct {
    const char* bits;
    double symmetric, asymmetric;
  } rows[] = {{"2", .127538843, .096575345},
              {"3", .015891091, .016126644},
              {"4", .003464297, .003869277},
              {"8", .000010386, .000010917}};
  for (const auto& row : rows) {
    const double symmetric = sine_error("rtn", {{"bits", row.bits}, {"group", "64"}});
    const double asymmetric =
        sine_error("rtn", {{"bits", row.bits}, {"group", "64"}, {"symmetric", "false"}});
    // The figures have nine digits after the point.
    EXPECT_NEAR(symmetric, row.symmetric, 1e-5 * row.symmetric + 5e-10) << row.bits;
    EXPECT_NEAR(asymmetric, row.asymmetric, 1e-5 * row.asymmetric + 5e-10) << row.bits;
  }
}

TEST(RtnTest, ZeroPointsOfThatMatrix) {
  const std::vector<float> w = sine_matrix();
  const AffineFormat format{4, GroupSize{64}, true, ScaleType::kFp16};
  EXPECT_THAT(round_to_grids(w, 4, 64, format).zeros, ::testing::ElementsAre(8, 7, 8, 7));
}

TEST(RtnTest, OneScaleARowOrATensor) {
  const std::vector<float> w = sine_matrix();
  EXPECT_EQ(compressed(*make("rtn", {{"bits", "4"}, {"group", "row"}}), 4, 64, w),
            compressed(*make("rtn", {{"bits", "4"}, {"group", "64"}}), 4, 64, w));
  // All as one row of 256, beside a row of zeros.
  std::vector<float> wide = w;
  wide.resize(512);
  wide = compressed(*make("rtn", {{"bits", "4"}, {"group", "row"}}), 2, 256, wide);
  wide.resize(256);
  EXPECT_EQ(compressed(*make("rtn", {{"bits", "4"}, {"group", "tensor"}}), 4, 64, w), wide);
}

TEST(RtnTest, ZerosAndTinyGroupsReadAsZero) {
  const std::vector<float> zeros(64), tiny(64, 1e-9F);
  for (const char* symmetric : {"true", "false"}) {
    const auto rtn = make("rtn", {{"bits", "4"}, {"symmetric", symmetric}});
    EXPECT_EQ(compressed(*rtn, 2, 32, zeros), zeros);
    EXPECT_EQ(compressed(*rtn, 2, 32, tiny), zeros);
  }
}

TEST(RtnTest, AScaleBeyondFp16IsRefusedWithItsLayer) {
  const std::vector<float> huge(64, 1e6F);
  try {
    compressed(*make("rtn", {{"bits", "4"}}), 2, 32, huge);
    FAIL();
  } catch (const std::invalid_argument& reason) {
    EXPECT_THAT(reason.what(), ::testing::HasSubstr("layer hidden.0: a group's scale"));
  }
  EXPECT_LT(relative_error(
                compressed(*make("rtn", {{"bits", "4"}, {"scales", "fp32"}}), 2, 32, huge), huge),
            1e-12);
}

TEST(Fp16Test, EveryValueIsTheNearestHalf) {
  const std::vector<float> w = sine_matrix(), half = compressed(*make("fp16"), 4, 64, w);
  for (std::size_t i = 0; i < w.size(); ++i) {
    EXPECT_EQ(half[i], kernels::from_half(kernels::to_half(w[i])));
  }
  std::vector<float> large = w;
  large[5] = 70000;
  EXPECT_THROW(compressed(*make("fp16"), 4, 64, large), std::invalid_argument);
}

TEST(Fp16Test, TheRestIsWhatLinearLeavesOut) {
  auto layout = std::make_shared<Layout>();
  layout->add("embed_tokens.weight", 8, 4);
  layout->add("hidden.0.weight", 4, 4);
  layout->add("hidden.0.bias", 4, 1);
  Model model{layout, {}, {}, {}};
  for (const Slice& s : layout->slices) {
    model.tensors.push_back(dense_tensor(s.rows, s.cols, std::vector<float>(s.size(), 0.1F)));
  }
  const auto rest = make("fp16", {{"targets", "rest"}});
  const Shape predicted = rest->shape(shape_of(model));
  State memory;
  rest->compress(model, nullptr, memory, Stream(1, "x"));
  EXPECT_EQ(model.tensors[0].bytes(), Bytes(64));
  EXPECT_EQ(model.tensors[1].bytes(), Bytes(64));
  EXPECT_EQ(model.tensors[2].bytes(), Bytes(8));
  EXPECT_EQ(predicted.stored, Bytes(136));
  EXPECT_THROW(make("rtn", {{"bits", "4"}, {"targets", "rest"}}), ScenarioError);
}

TEST(Nf4Test, ErrorOfAMatrixWithoutChance) {
  EXPECT_NEAR(sine_error("nf4", {}), .006477491, 1e-5 * .006477491);
}

// Dettmers et al. 2023: 8 quantiles above and 7 below, of evenly spaced probabilities, and 0.
TEST(Nf4Test, TheTableIsItsConstruction) {
  constexpr double kOffset = 0.9677083;
  const auto quantile = [](double p) {  // bisection
    double low = -8, high = 8;
    for (int i = 0; i < 100; ++i) {
      const double mid = 0.5 * (low + high);
      (0.5 * std::erfc(-mid / std::sqrt(2.0)) < p ? low : high) = mid;
    }
    return low;
  };
  std::vector<double> levels{0};
  for (int i = 0; i < 8; ++i) levels.push_back(quantile(kOffset + (0.5 - kOffset) * i / 8));
  for (int i = 0; i < 7; ++i) levels.push_back(-quantile(kOffset + (0.5 - kOffset) * i / 7));
  std::sort(levels.begin(), levels.end());
  const double most = levels.back();
  ASSERT_EQ(levels.size(), nf4_levels().size());
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(nf4_levels()[i], levels[i] / most, 2e-7);
}

TEST(Nf4Test, DoubleQuantizationCostsAnEighthOfABitAndLittleError) {
  const std::vector<float> w = gaussians(64 * 4096, 1);
  const auto once = make("nf4"), twice = make("nf4", {{"double_quantization", "true"}});
  Model a = matrix_model(64, 4096, w), b = a;
  State memory;
  once->compress(a, nullptr, memory, Stream(0, "test"));
  twice->compress(b, nullptr, memory, Stream(0, "test"));
  EXPECT_DOUBLE_EQ(a.tensors[0].bits(), 4.25);
  EXPECT_NEAR(b.tensors[0].bits(), 4.127, 1e-3);
  const double first = relative_error(a.tensors[0].dense(), w);
  EXPECT_NEAR(first, .00847, 1e-4);  // of Gaussian weights
  EXPECT_LT(relative_error(b.tensors[0].dense(), w), 1.02 * first);
}

TEST(HqqTest, MeanAbsoluteErrorIsAtMostThatOfItsStart) {
  for (const char* bits : {"2", "3", "4", "8"}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      std::vector<float> w = gaussians(16 * 256, seed);
      for (std::size_t i = 0; i < w.size(); i += 97) w[i] *= 10;  // outliers
      const std::vector<float> fitted = compressed(*make("hqq", {{"bits", bits}}), 16, 256, w);
      const float most = std::exp2(std::stof(bits)) - 1;
      double start = 0, end = 0;
      for (std::size_t first = 0; first < w.size(); first += 64) {
        const auto [low, high] = std::minmax_element(w.begin() + first, w.begin() + first + 64);
        const float s = most / (*high - *low), z = -*low * s;
        for (std::size_t i = first; i < first + 64; ++i) {
          const float code = std::clamp(std::nearbyint(w[i] * s + z), 0.0F, most);
          start += std::abs(w[i] - (code - z) / s);
          end += std::abs(w[i] - fitted[i]);
        }
      }
      EXPECT_LT(end, start * 1.001) << bits;  // fp16 scales and zeros
    }
  }
}

TEST(HqqTest, GaussianWeightsHaveTheErrorMeasuredElsewhere) {
  const std::vector<float> w = gaussians(std::size_t{1} << 18, 7);
  EXPECT_NEAR(relative_error(compressed(*make("hqq", {{"bits", "4"}}), 256, 1024, w), w), .00738,
              2e-4);
}

TEST(HqqTest, ConstantGroupsStayWhatTheyAre) {
  std::vector<float> w(128, 0.75F);
  std::fill(w.begin() + 64, w.end(), 0.0F);
  EXPECT_EQ(compressed(*make("hqq", {{"bits", "2"}}), 2, 64, w), w);
}

// An 8 x 16 layer and the second moments of its inputs, without random numbers.
struct SmallLayer {
  static constexpr int kRows = 8, kCols = 16;
  std::vector<float> w;
  std::vector<double> h;
  SmallLayer() {
    const auto d = [](int j) { return 1 + 0.5 * std::cos(double(j)); };
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) {
        w.push_back(static_cast<float>(std::sin(1.0 + 16 * i + j) * (1 + 0.1 * i)));
      }
    }
    for (int i = 0; i < kCols; ++i) {
      for (int j = 0; j < kCols; ++j) h.push_back(d(i) * d(j) * std::pow(0.9, std::abs(i - j)));
    }
  }
  // tr((Q - W) H (Q - W)^T)
  double output_error(const AffineCodes& q, const AffineFormat& format) const {
    double sum = 0;
    for (int r = 0; r < kRows; ++r) {
      std::vector<double> e;
      for (int c = 0; c < kCols; ++c) {
        const std::size_t i = static_cast<std::size_t>(r * kCols + c);
        const std::size_t g = format.group.index(r, c, kCols);
        e.push_back(affine_value(q.codes[i], q.scales[g], q.zeros[g]) - w[i]);
      }
      for (int i = 0; i < kCols; ++i) {
        for (int j = 0; j < kCols; ++j) sum += e[i] * e[j] * h[i * kCols + j];
      }
    }
    return sum;
  }
};

TEST(GptqTest, OutputErrorsOfALayerWithoutChance) {
  const SmallLayer layer;
  const struct {
    int bits;
    double rtn, undamped, damped;
  } rows[] = {{2, 8.820980157, 3.256078921, 3.087361748},
              {3, 3.458169691, .484309858, .457016862},
              {4, .361641378, .097476763, .087549035}};
  for (const auto& row : rows) {
    const AffineFormat format{row.bits, GroupSize{GroupSize::kRow}, true, ScaleType::kFp32};
    const auto error = [&](double damping) {
      const std::vector<double> u = inverse_factor(layer.h, 16, damping);
      return layer.output_error(round_columns(layer.w, 8, 16, u, {format, {}, false}), format);
    };
    const double rtn = layer.output_error(round_to_grids(layer.w, 8, 16, format), format);
    EXPECT_NEAR(rtn, row.rtn, 1e-5 * row.rtn) << row.bits;
    EXPECT_NEAR(error(0), row.undamped, 1e-5 * row.undamped) << row.bits;
    EXPECT_NEAR(error(.01), row.damped, 1e-5 * row.damped) << row.bits;
    EXPECT_NEAR(error(1e9), row.rtn, 1e-4 * row.rtn) << "damped out of existence";
  }
}

TEST(GptqTest, UncorrelatedInputsOfOneSizeGiveRoundToNearest) {
  const std::vector<float> w = gaussians(8 * 96, 3);
  std::vector<double> identity(96 * 96);
  for (std::size_t i = 0; i < 96; ++i) identity[i * 97] = 2.5;
  const std::vector<double> u = inverse_factor(identity, 96, 0.01);
  for (const int group : {32, GroupSize::kRow, GroupSize::kTensor}) {
    const AffineFormat format{3, GroupSize{group}, true, ScaleType::kFp16};
    const AffineCodes plain = round_to_grids(w, 8, 96, format);
    const AffineCodes carried = round_columns(w, 8, 96, u, {format, {}, false});
    EXPECT_EQ(carried.codes, plain.codes) << group;
    EXPECT_EQ(carried.scales, plain.scales) << group;
  }
}

// Squared output error against round to nearest on inputs of an AR(1) process.
double ratio_to_rtn(double rho, int bits) {
  constexpr int kCols = 128, kInputs = 2000, kRows = 64;
  Stream stream(17, "ar1", static_cast<std::uint64_t>(bits));
  std::vector<double> gram(kCols * kCols), x(kCols);
  for (int n = 0; n < kInputs; ++n) {
    for (int j = 0; j < kCols; ++j) {
      x[j] =
          (j == 0 ? 0 : rho * x[j - 1]) + (j == 0 ? 1 : std::sqrt(1 - rho * rho)) * normal(stream);
    }
    for (int i = 0; i < kCols; ++i) {
      for (int j = 0; j < kCols; ++j) gram[i * kCols + j] += x[i] * x[j];
    }
  }
  const std::vector<float> w = gaussians(kRows * kCols, 5);
  const AffineFormat format{bits, GroupSize{GroupSize::kRow}, true, ScaleType::kFp32};
  const auto error = [&](const AffineCodes& q) {
    double sum = 0;
    for (int r = 0; r < kRows; ++r) {
      std::vector<double> e(kCols);
      for (int c = 0; c < kCols; ++c) {
        e[c] = affine_value(q.codes[r * kCols + c], q.scales[r], q.zeros[r]) - w[r * kCols + c];
      }
      for (int i = 0; i < kCols; ++i) {
        for (int j = 0; j < kCols; ++j) sum += e[i] * e[j] * gram[i * kCols + j];
      }
    }
    return sum;
  };
  return error(round_columns(w, kRows, kCols, inverse_factor(gram, kCols, .01),
                             {format, {}, false})) /
         error(round_to_grids(w, kRows, kCols, format));
}

TEST(GptqTest, CorrelatedInputsAreWhatItWinsBy) {
  for (const int bits : {2, 3, 4}) {
    EXPECT_LT(ratio_to_rtn(0.9, bits), 0.30) << bits;
    EXPECT_LE(ratio_to_rtn(0, bits), 1.0) << bits;
  }
}

TEST(GptqTest, WhatIsPrunedTakesUpNoError) {
  const SmallLayer layer;
  std::vector<std::vector<int>> kept(8);
  std::vector<float> values;
  for (int r = 0; r < 8; ++r) {
    for (int c = r % 2; c < 16; c += 2) {
      kept[r].push_back(c);
      values.push_back(layer.w[r * 16 + c]);
    }
  }
  // The kept columns alone, as a smaller layer: the same codes.
  std::vector<double> even;
  for (int i = 0; i < 16; i += 2) {
    for (int j = 0; j < 16; j += 2) even.push_back(i == j ? 2.0 : 0.0);
  }
  std::vector<double> h(16 * 16);
  for (int i = 0; i < 16; ++i) h[i * 17] = 2;
  const AffineFormat format{3, GroupSize{8}, true, ScaleType::kFp16};
  const AffineCodes q =
      round_columns(values, 8, 16, inverse_factor(h, 16, 0), {format, kept, false});
  EXPECT_EQ(q.codes, round_to_grids(values, 1, 64, format).codes);
  EXPECT_EQ(q.codes.size(), values.size());
}

}  // namespace
}  // namespace skiff::testing
