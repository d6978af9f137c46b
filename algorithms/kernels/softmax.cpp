#include "algorithms/kernels/softmax.h"

#include <algorithm>
#include <cstddef>

#include "algorithms/kernels/elementary.h"
#include "algorithms/kernels/exp.h"
#include "algorithms/kernels/reduce.h"

namespace skiff::kernels {
namespace {

using simd::F;
using simd::F8;
using simd::kWidth;

// Rows of at most this many classes go eight at a time, a row to a lane.
constexpr int kFew = 16;

struct RowSum {
  float most;  // the greatest logit (NaN may be hidden: the sum is NaN then)
  float sum;   // of exp(z - most)
};

double loss_of(RowSum row, float at_label) noexcept {
  return static_cast<double>(elementary::log(row.sum)) +
         (static_cast<double>(row.most) - static_cast<double>(at_label));
}

// Eight rows (of which `count` exist) of at most 16 classes: e[c] holds exp(z - most) of class c.
struct Octet {
  F8 e[kFew];
  F8 most, sum;
  int count;
};

// In and out of the form [class][row]; the rows come from, or go to, matrix rows i, i + 1, ...
void load_rows(Octet& o, ConstMatrixView z, int i) noexcept {
  o.count = std::min(8, z.rows - i);
  for (int c = 0; c < z.cols; c += 8) {
    const simd::I8 mask = simd::mask8(z.cols - c);
    F8 block[8];
    for (int r = 0; r < 8; ++r) block[r] = simd::load8(z[i + std::min(r, o.count - 1)] + c, mask);
    simd::transpose8(block);
    for (int q = 0; q < 8; ++q) o.e[c + q] = block[q];
  }
}
void store_rows(MatrixView out, const Octet& o, int i) noexcept {
  for (int c = 0; c < out.cols; c += 8) {
    F8 block[8];
    for (int q = 0; q < 8; ++q) block[q] = o.e[c + q];
    simd::transpose8(block);
    for (int r = 0; r < o.count; ++r) simd::store_first(out[i + r] + c, block[r], out.cols - c);
  }
}

void exponentials(Octet& o, ConstMatrixView z, int i) noexcept {
  load_rows(o, z, i);
  o.most = o.e[0];
  for (int c = 1; c < z.cols; ++c) o.most = simd::greatest(o.most, o.e[c]);
  o.sum = F8{};
  for (int c = 0; c < z.cols; ++c) {
    o.e[c] = elementary::exp(o.e[c] - o.most);
    o.sum += o.e[c];
  }
}

// The greatest of n > 16 logits. Which order does not matter, except to a NaN: none is returned
// for certain, but the sum of the exponentials is NaN with any.
float greatest_of(const float* z, int n) noexcept {
  F top = simd::load(z);
  for (int i = kWidth; i + kWidth <= n; i += kWidth) top = simd::greatest(top, simd::load(z + i));
  top = simd::greatest(top, simd::load(z + n - kWidth));  // overlaps what was seen
  float lanes[kWidth];
  simd::store(lanes, top);
  float most = lanes[0];
  for (const float v : lanes) most = most > v ? most : v;
  return most;
}

// e = exp(z - most) of one row of more than 16 classes; e may be z.
RowSum exponentials(float* e, const float* z, int n) noexcept {
  const float most = greatest_of(z, n);
  for (int i = 0; i < n; ++i) e[i] = z[i] - most;
  const std::span<float> row{e, static_cast<std::size_t>(n)};
  vexp(row, row);
  return {most, sum16(row)};
}

double few_cross_entropy(MatrixView d, ConstMatrixView z, std::span<const std::int32_t> labels,
                         float scale) noexcept {
  double loss = 0;
  for (int i = 0; i < z.rows; i += 8) {
    Octet o;
    exponentials(o, z, i);
    float at_label[8] = {}, most[8], logs[8];
    std::int32_t label[8] = {};
    for (int r = 0; r < o.count; ++r) {
      label[r] = labels[static_cast<std::size_t>(i + r)];
      at_label[r] = z[i + r][label[r]];
    }
    simd::store(most, o.most);
    simd::store(logs, elementary::log(o.sum));
    for (int r = 0; r < o.count; ++r) {
      loss += static_cast<double>(logs[r]) +
              (static_cast<double>(most[r]) - static_cast<double>(at_label[r]));
    }
    if (d.data == nullptr) continue;
    simd::I8 chosen;
    std::memcpy(&chosen, label, sizeof chosen);
    const F8 inverse = 1.0F / o.sum;
    for (int c = 0; c < z.cols; ++c) {
      const F8 minus_onehot = chosen == c ? F8{} - 1.0F : -F8{};
      o.e[c] = scale * simd::fma(o.e[c], inverse, minus_onehot);
    }
    store_rows(d, o, i);
  }
  return loss;
}

}  // namespace

void softmax(MatrixView out, ConstMatrixView logits) noexcept {
  const int n = logits.cols;
  if (n <= kFew) {
    for (int i = 0; i < logits.rows; i += 8) {
      Octet o;
      exponentials(o, logits, i);
      const F8 inverse = 1.0F / o.sum;
      for (int c = 0; c < n; ++c) o.e[c] *= inverse;
      store_rows(out, o, i);
    }
    return;
  }
  for (int i = 0; i < logits.rows; ++i) {
    const float inverse = 1.0F / exponentials(out[i], logits[i], n).sum;
    scale({out[i], static_cast<std::size_t>(n)}, inverse, {out[i], static_cast<std::size_t>(n)});
  }
}

double softmax_cross_entropy(MatrixView d, ConstMatrixView logits,
                             std::span<const std::int32_t> labels, float scale) noexcept {
  const int n = logits.cols;
  if (n <= kFew) return few_cross_entropy(d, logits, labels, scale);
  double loss = 0;
  for (int i = 0; i < logits.rows; ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    const float at_label = logits[i][label];
    const RowSum row = exponentials(d[i], logits[i], n);
    const float inverse = 1.0F / row.sum;
    const float chosen = scale * std::fma(d[i][label], inverse, -1.0F);
    float* to = d[i];
    for (int j = 0; j < n; ++j) to[j] = scale * (to[j] * inverse);  // fma(e, inv, -0)
    to[label] = chosen;
    loss += loss_of(row, at_label);
  }
  return loss;
}

double cross_entropy(ConstMatrixView logits, std::span<const std::int32_t> labels) noexcept {
  const int n = logits.cols;
  if (n <= kFew) return few_cross_entropy({nullptr, 0, 0, 0}, logits, labels, 0);
  double loss = 0;
  for (int i = 0; i < logits.rows; ++i) {
    const float* z = logits[i];
    // Blocks of 16 through a small buffer: no place for a whole row of exponentials is needed.
    const float most = greatest_of(z, n);
    simd::F16 lanes = simd::set16(0);
    for (int j = 0; j < n; j += 16) {
      float e[16] = {};
      const auto count = static_cast<std::size_t>(std::min(16, n - j));
      for (std::size_t l = 0; l < count; ++l) e[l] = z[static_cast<std::size_t>(j) + l] - most;
      vexp({e, count}, {e, count});
      lanes = lanes + simd::load16(e);
    }
    loss += loss_of({most, simd::tree(lanes)}, z[labels[static_cast<std::size_t>(i)]]);
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
