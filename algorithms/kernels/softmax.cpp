#include "algorithms/kernels/softmax.h"

#include <cstddef>

#include "algorithms/kernels/elementary.h"
#include "algorithms/kernels/reduce.h"

namespace skiff::kernels {
namespace {

using simd::F;
using simd::kWidth;

struct RowSum {
  float most;  // the greatest logit (NaN if any is)
  float sum;   // of exp(z - most)
};

float greatest_of(const float* z, int n) noexcept {
  float most = z[0];
  for (int i = 1; i < n; ++i) most = most > z[i] ? most : z[i];  // a NaN passes on what follows
  return most;
}

// e = exp(z - max); e may be z.
RowSum exponentials(float* e, const float* z, int n) noexcept {
  const float most = greatest_of(z, n);
  for (int i = 0; i < n; i += kWidth) {
    const simd::Mask part = simd::mask(n - i);
    simd::store(e + i, elementary::exp(simd::load(z + i, part) - most), part);
  }
  if (n > 16) return {most, sum16({e, static_cast<std::size_t>(n)})};
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += e[i];
  return {most, sum};
}

double loss_of(RowSum row, float at_label) noexcept {
  return static_cast<double>(elementary::log(row.sum)) +
         (static_cast<double>(row.most) - static_cast<double>(at_label));
}

}  // namespace

void softmax(MatrixView out, ConstMatrixView logits) noexcept {
  for (int i = 0; i < logits.rows; ++i) {
    const float inverse = 1.0F / exponentials(out[i], logits[i], logits.cols).sum;
    for (int j = 0; j < logits.cols; ++j) out[i][j] *= inverse;
  }
}

double softmax_cross_entropy(MatrixView d, ConstMatrixView logits,
                             std::span<const std::int32_t> labels, float scale) noexcept {
  double loss = 0;
  for (int i = 0; i < logits.rows; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    const float at_label = logits[i][label];
    const RowSum row = exponentials(d[i], logits[i], logits.cols);
    const float inverse = 1.0F / row.sum;
    for (int j = 0; j < logits.cols; ++j) {
      d[i][j] = scale * std::fma(d[i][j], inverse, j == label ? -1.0F : -0.0F);
    }
    loss += loss_of(row, at_label);
  }
  return loss;
}

double cross_entropy(ConstMatrixView logits, std::span<const std::int32_t> labels) noexcept {
  double loss = 0;
  for (int i = 0; i < logits.rows; ++i) {
    const float* z = logits[i];
    const int n = logits.cols;
    const float most = greatest_of(z, n);
    // The exponentials pass through a small buffer; its blocks are multiples of 16, as sum16's are.
    float e[16];
    simd::F16 lanes = simd::set16(0);
    float sum = 0;
    for (int j = 0; j < n; j += 16) {
      for (int h = 0; h < 16; h += kWidth) {
        const simd::Mask part = simd::mask(n - j - h);
        const F v = elementary::exp(simd::load(z + j + h, part) - most);
        simd::store(e + h, F{});
        simd::store(e + h, v, part);
      }
      lanes = lanes + simd::load16(e);
      if (n <= 16) {
        for (int l = 0; l < n; ++l) sum += e[l];
      }
    }
    if (n > 16) sum = simd::tree(lanes);
    loss += loss_of({most, sum}, z[labels[static_cast<std::size_t>(i)]]);
  }
  return loss;
}

double binary_logistic(std::span<float> d, std::span<const float> z, std::span<const float> y,
                       float scale) noexcept {
  const double loss = binary_logistic(z, y);
  const int n = static_cast<int>(z.size());
  for (int i = 0; i < n; i += kWidth) {
    const simd::Mask part = simd::mask(n - i);
    const F sign = simd::load(y.data() + i, part);
    const F margin = sign * simd::load(z.data() + i, part);
    simd::store(d.data() + i, elementary::sigmoid(-margin) * sign * -scale, part);
  }
  return loss;
}

double binary_logistic(std::span<const float> z, std::span<const float> y) noexcept {
  const int n = static_cast<int>(z.size());
  double loss = 0;
  for (int i = 0; i < n; i += kWidth) {
    const simd::Mask part = simd::mask(n - i);
    const F margin = simd::load(y.data() + i, part) * simd::load(z.data() + i, part);
    float losses[kWidth];
    simd::store(losses, elementary::softplus(-margin));
    for (int l = 0; l < kWidth && i + l < n; ++l) loss += static_cast<double>(losses[l]);
  }
  return loss;
}

int argmax(std::span<const float> x) noexcept {
  int best = -1;
  for (int i = 0; i < static_cast<int>(x.size()); ++i) {
    const float v = x[static_cast<std::size_t>(i)];
    if (best < 0 ? v == v : v > x[static_cast<std::size_t>(best)]) best = i;
  }
  return best;
}

int count_correct(ConstMatrixView logits, std::span<const std::int32_t> labels) noexcept {
  int correct = 0;
  for (int i = 0; i < logits.rows; ++i) {
    const std::span<const float> row{logits[i], static_cast<std::size_t>(logits.cols)};
    correct += argmax(row) == labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return correct;
}

}  // namespace skiff::kernels
