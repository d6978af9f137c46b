#include "algorithms/pruning/scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "algorithms/kernels/reduce.h"
#include "algorithms/pruning/mask.h"

namespace skiff::pruning {
namespace {

template <class Factor>
Scores scored(const MatrixOf& w, Factor factor) {
  Scores scores(w.values.size());
  std::size_t at = 0;
  for (int i = 0; i < w.rows; ++i) {
    for (int j = 0; j < w.cols; ++j, ++at) scores[at] = std::abs(w.values[at]) * factor(i, j);
  }
  return scores;
}

std::size_t index(int i) { return static_cast<std::size_t>(i); }

// Adds |v| to a p-norm's running value, and ends it.
void grow(double& norm, double v, double p) {
  v = std::abs(v);
  if (std::isinf(p)) {
    norm = std::max(norm, v);
  } else {
    norm += p == 1 ? v : p == 2 ? v * v : std::pow(v, p);
  }
}
double inverse(double norm, double p) {
  if (norm == 0) return 0;
  if (std::isinf(p) || p == 1) return 1 / norm;
  return 1 / (p == 2 ? std::sqrt(norm) : std::pow(norm, 1 / p));
}

// `k` different numbers below n: the first of a shuffle that goes no further.
void draw_some(int n, std::int64_t k, Stream& stream, std::vector<int>& order) {
  order.resize(index(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = 0; i < k; ++i) {
    const auto left = static_cast<std::uint32_t>(n - i);
    const auto at = static_cast<std::size_t>(i);
    std::swap(order[at], order[at + stream.below(left)]);
  }
  order.resize(static_cast<std::size_t>(k));
}

// Row i of H times w_i, for one row of W.
double quadratic(std::span<const double> w, const InputStatistics& inputs) {
  const auto width = static_cast<std::size_t>(inputs.width);
  std::vector<double> terms(width);
  for (std::size_t j = 0; j < width; ++j) {
    double sum = 0;
    for (std::size_t l = 0; l < width; ++l) sum += inputs.gram[j * width + l] * w[l];
    terms[j] = sum * w[j];
  }
  return kernels::sum_double(terms);
}

}  // namespace

Scores magnitude(const MatrixOf& w) {
  return scored(w, [](int, int) { return 1.0; });
}

Scores wanda(const MatrixOf& w, std::span<const double> xn) {
  return scored(w, [&](int, int j) { return xn[index(j)]; });
}

Scores symmetric(const MatrixOf& w, std::span<const double> xn, std::span<const double> yn) {
  return scored(w, [&](int i, int j) { return xn[index(j)] + yn[index(i)]; });
}

Scores symmetric_weights(const MatrixOf& w) {
  std::vector<double> rows(index(w.rows)), cols(index(w.cols));
  for (int i = 0; i < w.rows; ++i) {
    for (int j = 0; j < w.cols; ++j) {
      grow(rows[index(i)], w(i, j), 2);
      grow(cols[index(j)], w(i, j), 2);
    }
  }
  return scored(w, [&](int i, int j) { return std::sqrt(cols[index(j)] + rows[index(i)]); });
}

Inverses inverse_norms(const MatrixOf& w, double p) {
  Inverses norms{std::vector<double>(index(w.rows)), std::vector<double>(index(w.cols))};
  for (int i = 0; i < w.rows; ++i) {
    for (int j = 0; j < w.cols; ++j) {
      grow(norms.rows[index(i)], w(i, j), p);
      grow(norms.cols[index(j)], w(i, j), p);
    }
  }
  for (double& n : norms.rows) n = inverse(n, p);
  for (double& n : norms.cols) n = inverse(n, p);
  return norms;
}

Inverses sampled_inverse_norms(const MatrixOf& w, double share, Stream stream) {
  if (share >= 1) return inverse_norms(w, 1);
  Inverses norms{std::vector<double>(index(w.rows)), std::vector<double>(index(w.cols))};
  std::vector<int> drawn;
  const auto estimate = [&](int n, auto value) {
    const std::int64_t k = std::clamp<std::int64_t>(std::lround(share * n), 1, n);
    draw_some(n, k, stream, drawn);
    double sum = 0;
    for (const int at : drawn) sum += std::abs(value(at));
    return inverse(sum * n / static_cast<double>(k), 1);
  };
  for (int i = 0; i < w.rows; ++i) {
    norms.rows[index(i)] = estimate(w.cols, [&](int j) { return w(i, j); });
  }
  for (int j = 0; j < w.cols; ++j) {
    norms.cols[index(j)] = estimate(w.rows, [&](int i) { return w(i, j); });
  }
  return norms;
}

Scores relative(const MatrixOf& w, const Inverses& inverses) {
  return scored(w, [&](int i, int j) { return inverses.rows[index(i)] + inverses.cols[index(j)]; });
}

void activate(Scores& scores, int cols, std::span<const double> xn, double alpha) {
  std::vector<double> factor(xn.begin(), xn.end());
  for (double& f : factor) f = alpha == 1 ? f : alpha == 0.5 ? std::sqrt(f) : std::pow(f, alpha);
  for (std::size_t at = 0; at < scores.size(); ++at) scores[at] *= factor[at % index(cols)];
}

std::vector<double> input_norms(const InputStatistics& inputs) {
  std::vector<double> norms(index(inputs.width));
  for (int j = 0; j < inputs.width; ++j) norms[index(j)] = std::sqrt(inputs.squared_norm(j));
  return norms;
}

std::vector<double> output_norms(const MatrixOf& w, const InputStatistics& inputs) {
  std::vector<double> norms(index(w.rows));
  for (int i = 0; i < w.rows; ++i) {
    norms[index(i)] = std::sqrt(std::max(0.0, quadratic(w.row(i), inputs)));
  }
  return norms;
}

void divide_by_mean(std::vector<double>& norms) {
  const double mean = kernels::sum_double(norms) / static_cast<double>(norms.size());
  if (mean == 0) return;
  for (double& n : norms) n /= mean;
}

double output_error(const MatrixOf& before, const MatrixOf& after, const InputStatistics& inputs) {
  std::vector<double> rows(index(before.rows)), difference(index(before.cols));
  for (int i = 0; i < before.rows; ++i) {
    for (int j = 0; j < before.cols; ++j) difference[index(j)] = after(i, j) - before(i, j);
    rows[index(i)] = quadratic(difference, inputs);
  }
  return kernels::sum_double(rows);
}

}  // namespace skiff::pruning
