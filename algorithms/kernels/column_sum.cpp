#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F;
using simd::kWidth;

// Calls done(column, sums, mask) for the sums of kCount vectors of columns at a time.
template <int kCount, class Begin, class Done>
int strips(int j, ConstMatrixView m, Begin begin, Done done) noexcept {
  for (; j < m.cols && (kCount == 1 || j + kCount * kWidth <= m.cols); j += kCount * kWidth) {
    simd::Mask mask[kCount];
    F sum[kCount];
    for (int q = 0; q < kCount; ++q) {
      mask[q] = simd::mask(m.cols - j - q * kWidth);
      sum[q] = begin(j + q * kWidth, mask[q]);
    }
    for (int i = 0; i < m.rows; ++i) {
      for (int q = 0; q < kCount; ++q) {
        const float* at = m[i] + j + q * kWidth;
        sum[q] += kCount == 1 ? simd::load(at, mask[q]) : simd::load(at);
      }
    }
    for (int q = 0; q < kCount; ++q) done(j + q * kWidth, sum[q], mask[q]);
  }
  return j;
}

template <class Begin, class Done>
void sums(ConstMatrixView m, Begin begin, Done done) noexcept {
  strips<1>(strips<5>(0, m, begin, done), m, begin, done);
}

F zeros(int, simd::Mask) noexcept { return F{}; }

}  // namespace

void column_sum(std::span<float> out, ConstMatrixView m, Output output) noexcept {
  float* to = out.data();
  const auto done = [to](int j, F sum, simd::Mask mask) { simd::store(to + j, sum, mask); };
  if (output == Output::kOverwrite) {
    sums(m, zeros, done);
  } else {
    sums(
        m, [to](int j, simd::Mask mask) { return simd::load(to + j, mask); }, done);
  }
}

void bias_update(std::span<float> bias, ConstMatrixView dy, float rate) noexcept {
  float* to = bias.data();
  sums(dy, zeros, [to, rate](int j, F sum, simd::Mask mask) {
    simd::store(to + j, simd::fma(simd::set(-rate), sum, simd::load(to + j, mask)), mask);
  });
}

}  // namespace skiff::kernels
