// HQQ: half-quadratic quantization, a robust fit of the zero points that needs no data.
//
// Badri and Shaji 2023, "Half-quadratic quantization of large machine learning models". With
// s the inverse scale of a group, kept at (2^b - 1) / (max - min), and z starting at -min s:
//   code = clip(rint(w s + z)),  r = (code - z) / s
//   e = sign(w - r) max(|w - r| - |w - r|^(p - 1) / beta, 0),  p = 0.7   (the l_p proximal step)
//   z = mean over the group of code - (w - e) s,  beta <- 1.01 beta      (10 at first)
// for at most 20 rounds, until the matrix's mean |w - r| no longer falls; the z that gave the least
// is kept. 1/s and z are stored in fp16 and the codes made anew with them.
// Bits per weight: b + 32 / group. A constant group is stored as it is (code 1, zero 0). Where z
// would be beyond 2048, too coarse in fp16, the range is widened to hold 0.

#include <algorithm>
#include <bit>
#include <cmath>

#include "algorithms/kernels/reduce.h"
#include "algorithms/quantization/layer_quantizer.h"
#include "algorithms/quantization/rounding.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct HqqParams {
  int bits = 4;
  GroupSize group{64};
  LayerTargets targets;
};

constexpr int kRounds = 20;
constexpr float kCoarse = 2048;  // fp16 knows whole numbers up to here

// x^-0.3 for x > 0, by Newton's iteration on t^-10 = x^3: the same bits everywhere. The start comes
// from the exponent and is right to 6 %; the relative error e becomes 5.5 e^2 each time.
float to_minus_three_tenths(float x) {
  const double cube = static_cast<double>(x) * static_cast<double>(x) * static_cast<double>(x);
  constexpr auto kOne = std::bit_cast<std::int64_t>(1.0);
  double t = std::bit_cast<double>(kOne + (kOne - std::bit_cast<std::int64_t>(cube)) / 10);
  for (int i = 0; i < 6; ++i) {
    const double t2 = t * t, t4 = t2 * t2;
    t *= 1.1 - 0.1 * (cube * t4 * t4 * t2);
  }
  return static_cast<float>(t);
}

float shrunk(float x, float beta) {
  const float size = std::abs(x);
  if (size == 0) return 0;
  return std::copysign(std::max(size - to_minus_three_tenths(size) / beta, 0.0F), x);
}

// The grids of one matrix while they are fitted.
struct Fit {
  std::vector<float> inverse;  // s
  std::vector<float> zero;
  std::vector<std::uint8_t> constant;
};

Fit first_fit(const LayerMatrix& m, const AffineFormat& format) {
  const auto most = static_cast<float>(format.most());
  Fit fit;
  for_groups(format.group, m.rows, m.cols, [&](auto, std::size_t first, std::size_t count) {
    const std::span<const float> v = std::span(m.values).subspan(first, count);
    auto [low, high] = std::ranges::minmax(v);
    fit.constant.push_back(low == high);
    if (low == high) {
      fit.inverse.push_back(1);
      fit.zero.push_back(0);
      return;
    }
    if (std::abs(low) * most > kCoarse * (high - low)) {
      low = std::min(low, 0.0F);
      high = std::max(high, 0.0F);
    }
    const float s = std::min(most / (high - low), 2e4F);
    fit.inverse.push_back(s);
    fit.zero.push_back(-low * s);
  });
  return fit;
}

// One round: mean |w - r| of the zeros as they are, and the zeros that follow from it.
double refine(const LayerMatrix& m, const AffineFormat& format, const Fit& fit, float beta,
              std::vector<float>& next) {
  const auto most = static_cast<float>(format.most());
  std::vector<float> errors(m.values.size());
  for_groups(
      format.group, m.rows, m.cols, [&](std::size_t g, std::size_t first, std::size_t count) {
        if (fit.constant[g] != 0) return;
        const float s = fit.inverse[g], z = fit.zero[g];
        std::vector<float> zeros(count);
        for (std::size_t i = 0; i < count; ++i) {
          const float w = m.values[first + i];
          const float code = std::clamp(std::nearbyint(w * s + z), 0.0F, most);
          const float error = w - (code - z) / s;
          errors[first + i] = std::abs(error);
          zeros[i] = code - (w - shrunk(error, beta)) * s;
        }
        next[g] = static_cast<float>(kernels::sum_double(zeros) / static_cast<double>(count));
      });
  return kernels::sum_double(errors) / static_cast<double>(std::max<std::size_t>(errors.size(), 1));
}

AffineCodes stored_codes(const LayerMatrix& m, const AffineFormat& format, const Fit& fit) {
  AffineCodes out;
  out.codes.resize(m.values.size());
  for_groups(
      format.group, m.rows, m.cols, [&](std::size_t g, std::size_t first, std::size_t count) {
        const bool constant = fit.constant[g] != 0;
        EvenGrid grid{stored_scale(constant ? m.values[first] : 1 / fit.inverse[g], format.scales),
                      stored_scale(fit.zero[g], format.scales)};
        if (grid.scale == 0) grid.zero = 0;
        out.scales.push_back(grid.scale);
        out.zeros.push_back(grid.zero);
        const auto most = static_cast<float>(format.most());
        for (std::size_t i = first; i < first + count; ++i) {
          float code = constant && grid.scale != 0 ? 1.0F : 0.0F;
          if (!constant && grid.scale != 0) {
            code = std::clamp(std::nearbyint(m.values[i] / grid.scale + grid.zero), 0.0F, most);
          }
          out.codes[i] = static_cast<std::uint8_t>(code);
        }
      });
  return out;
}

}  // namespace

template <>
Schema<HqqParams> schema() {
  Schema<HqqParams> s;
  s.field("bits", &HqqParams::bits, "bits of a code")
      .required("by hqq; skiff has no default that changes results")
      .in(2, 8);
  s.field("group", &HqqParams::group, "weights of an output that share a grid; row or tensor");
  s.field("targets", &HqqParams::targets, "linear (every linear layer), or layer names");
  return s;
}

namespace {

class Hqq final : public LayerQuantizer {
 public:
  explicit Hqq(const HqqParams& p)
      : LayerQuantizer(p.targets), format_{p.bits, p.group, true, ScaleType::kFp16} {}

 protected:
  StoredValuesPtr encode(const LayerMatrix& m, Stream) const override {
    Fit fit = first_fit(m, format_);
    std::vector<float> best = fit.zero, next = fit.zero;
    double least = std::numeric_limits<double>::infinity();
    float beta = 10;
    for (int round = 0; round <= kRounds; ++round, beta *= 1.01F) {
      const double error = refine(m, format_, fit, beta, next);
      if (!(error < least)) break;
      least = error;
      best = fit.zero;
      fit.zero = next;
    }
    fit.zero = best;
    return affine_values(format_, m.rows, m.cols, stored_codes(m, format_, fit));
  }
  Bytes bytes(int rows, int cols) const override { return format_.bytes(rows, cols); }
  Bytes scale_bytes(int rows, int cols) const override { return format_.scale_bytes(rows, cols); }
  double flops_per_weight() const override { return kRounds * 50.0; }

 private:
  AffineFormat format_;
};

SKIFF_REGISTER(Compressor, Hqq, HqqParams,
               {.name = "hqq",
                .summary = "half-quadratic splitting of the rounding error",
                .paper = "Badri and Shaji 2023",
                .family = "quantization",
                .verified = "its mean absolute error is at most that of its start",
                .deviates = "the best zero points are kept, not those of the last round"});

}  // namespace
}  // namespace skiff
