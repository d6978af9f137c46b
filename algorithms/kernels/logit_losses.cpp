#include "algorithms/kernels/logit_losses.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/exp_double.h"

namespace skiff::kernels {
namespace {

// softmax(row / T) in double: probabilities and their logarithms, one at a time.
class Softened {
 public:
  Softened(const float* row, int n, double temperature) : row_(row), inverse_(1 / temperature) {
    const double most = *std::max_element(row, row + n);
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += exp_double((row[j] - most) * inverse_);
    // most stands for NaN too: max_element may hide it, the sum does not.
    shift_ = most * inverse_ + log_double(sum);
    if (std::isnan(sum)) shift_ = sum;
  }
  double log(int j) const { return row_[j] * inverse_ - shift_; }
  double operator[](int j) const { return exp_double(log(j)); }

 private:
  const float* row_;
  double inverse_;
  double shift_ = 0;
};

}  // namespace

void soften(MatrixView logits, double temperature) noexcept {
  for (int i = 0; i < logits.rows; ++i) {
    const Softened p(logits[i], logits.cols, temperature);
    for (int j = 0; j < logits.cols; ++j) logits[i][j] = static_cast<float>(p[j]);
  }
}

double softened_divergence(MatrixView d, ConstMatrixView z, ConstMatrixView v, double temperature,
                           double scale) noexcept {
  double total = 0;
  for (int i = 0; i < z.rows; ++i) {
    const Softened student(z[i], z.cols, temperature), teacher(v[i], v.cols, temperature);
    double sum = 0;
    for (int j = 0; j < z.cols; ++j) {
      const double p = student[j], q = teacher[j];
      if (q > 0) sum += q * (teacher.log(j) - student.log(j));
      d[i][j] = static_cast<float>(scale * temperature * (p - q));
    }
    total += temperature * temperature * sum;
  }
  return total;
}

double logits_mse(MatrixView d, ConstMatrixView z, ConstMatrixView v, double scale) noexcept {
  double total = 0;
  for (int i = 0; i < z.rows; ++i) {
    double sum = 0;
    for (int j = 0; j < z.cols; ++j) {
      const double gap = double(z[i][j]) - double(v[i][j]);
      sum += gap * gap;
      d[i][j] = static_cast<float>(scale * gap / z.cols);
    }
    total += sum / (2 * z.cols);
  }
  return total;
}

void top_probabilities(std::span<std::int32_t> classes, std::span<float> probabilities,
                       ConstMatrixView v, int k, double temperature) noexcept {
  for (int i = 0; i < v.rows; ++i) {
    const Softened teacher(v[i], v.cols, temperature);
    const float* row = v[i];
    const auto first = static_cast<std::size_t>(i) * static_cast<std::size_t>(k);
    const std::span<std::int32_t> mine = classes.subspan(first, static_cast<std::size_t>(k));
    int found = 0;
    for (std::int32_t j = 0; j < v.cols; ++j) {
      // Insertion into what was found: equals keep their order, so the lower class stays first.
      const auto end = mine.begin() + found;
      const auto at =
          std::find_if(mine.begin(), end, [&](std::int32_t c) { return row[j] > row[c]; });
      if (at == end && found == k) continue;
      if (found < k) ++found;
      std::copy_backward(at, mine.begin() + found - 1, mine.begin() + found);
      *at = j;
    }
    for (std::size_t j = 0; j < mine.size(); ++j) {
      probabilities[first + j] = static_cast<float>(teacher[mine[j]]);
    }
  }
}

double top_divergence(MatrixView d, ConstMatrixView z, std::span<const std::int32_t> classes,
                      std::span<const float> probabilities, double temperature,
                      double scale) noexcept {
  const std::size_t k = classes.size() / static_cast<std::size_t>(z.rows);
  double total = 0;
  for (int i = 0; i < z.rows; ++i) {
    const Softened student(z[i], z.cols, temperature);
    const auto first = static_cast<std::size_t>(i) * k;
    double sum = 0, said = 0, mine = 0;
    for (std::size_t j = first; j < first + k; ++j) {
      const double q = probabilities[j], log_p = student.log(classes[j]);
      if (q > 0) sum += q * (log_double(q) - log_p);
      said += q;
      mine += exp_double(log_p);
    }
    // Below single precision what is left is rounding, not mass.
    const double rest = 1 - said > 1e-6 ? 1 - said : 0, other = std::max(1 - mine, 1e-12);
    if (rest > 0) sum += rest * (log_double(rest) - log_double(other));
    const auto is_said = [&](std::int32_t c) {
      return std::find(classes.begin() + static_cast<std::ptrdiff_t>(first),
                       classes.begin() + static_cast<std::ptrdiff_t>(first + k), c) -
             classes.begin();
    };
    float* out = d[i];
    for (std::int32_t j = 0; j < z.cols; ++j) {
      const double p = student[j];
      const auto at = static_cast<std::size_t>(is_said(j));
      const double q = at < first + k ? double(probabilities[at]) : rest * p / other;
      out[j] = static_cast<float>(scale * temperature * ((said + rest) * p - q));
    }
    total += temperature * temperature * sum;
  }
  return total;
}

}  // namespace skiff::kernels
