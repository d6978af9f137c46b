#include "algorithms/pruning/bonsai_design.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.h"

namespace skiff::pruning {
namespace {

using Matrix = Eigen::MatrixXd;
using Vec = Eigen::VectorXd;

// One index with probability proportional to its weight, among those that are left.
std::size_t draw(const std::vector<double>& weights, Stream& stream) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = stream.uniform() * all;
  std::size_t last = weights.size();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return last;
}

// Switches `count` entries off; uniformly where fewer have a weight.
void switch_off(std::vector<double> weights, int count, std::span<std::uint8_t> mask,
                Stream& stream) {
  const auto positive =
      std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; });
  if (positive < count) std::fill(weights.begin(), weights.end(), 1.0);
  for (int d = 0; d < count; ++d) {
    const std::size_t i = draw(weights, stream);
    mask[i] = 0;
    weights[i] = 0;
  }
}

// The design with its column means taken off.
Matrix centred(const std::vector<Mask>& masks, std::size_t begin, std::size_t end, bool inside,
               Vec& means) {
  std::vector<const Mask*> rows;
  for (std::size_t m = 0; m < masks.size(); ++m) {
    if ((m >= begin && m < end) == inside) rows.push_back(&masks[m]);
  }
  Matrix a(rows.size(), masks.front().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i]->size(); ++j) {
      a(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = (*rows[i])[j];
    }
  }
  if (means.size() == 0) means = a.colwise().mean();
  return a.rowwise() - means.transpose();
}

Vec chosen(const std::vector<double>& y, std::size_t begin, std::size_t end, bool inside) {
  std::vector<double> some;
  for (std::size_t m = 0; m < y.size(); ++m) {
    if ((m >= begin && m < end) == inside) some.push_back(y[m]);
  }
  return Eigen::Map<const Vec>(some.data(), static_cast<Eigen::Index>(some.size()));
}

double mean_diagonal(const Matrix& a) { return a.rowwise().squaredNorm().mean(); }

Vec solve(const Matrix& a, const Vec& y, double gamma) {
  Matrix k = a * a.transpose();
  k.diagonal().array() += gamma;
  const Vec centred_y = y.array() - y.mean();
  return a.transpose() * k.ldlt().solve(centred_y);
}

constexpr double kGammas[] = {1e2, 1, 1e-2, 1e-4};
constexpr std::size_t kFolds = 5;

std::vector<double> values_of(const Vec& v) { return {v.data(), v.data() + v.size()}; }

// Mean of Kendall's tau over the folds.
double validated(const std::vector<Mask>& masks, const std::vector<double>& y, double gamma) {
  double sum = 0;
  for (std::size_t f = 0; f < kFolds; ++f) {
    const std::size_t pairs = masks.size() / 2;
    const std::size_t begin = 2 * (pairs * f / kFolds), end = 2 * (pairs * (f + 1) / kFolds);
    Vec means;
    const Matrix train = centred(masks, begin, end, false, means);
    const Vec known = chosen(y, begin, end, false);
    const Vec beta = solve(train, known, gamma * mean_diagonal(train));
    const Matrix held_out = centred(masks, begin, end, true, means);
    sum += kendall_tau(values_of(held_out * beta), values_of(chosen(y, begin, end, true)));
  }
  return sum / kFolds;
}

}  // namespace

Eligible eligible(const std::vector<double>& prior, const Mask& alive, double rate, double times,
                  std::int64_t least) {
  std::vector<int> order;
  for (std::size_t u = 0; u < prior.size(); ++u) {
    if (alive[u] != 0) order.push_back(static_cast<int>(u));
  }
  const auto n = std::ssize(order);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return prior[static_cast<std::size_t>(a)] > prior[static_cast<std::size_t>(b)];
  });
  const double most = prior[static_cast<std::size_t>(order.front())];
  least = std::min<std::int64_t>(n, least);
  const std::int64_t fixed =
      std::clamp<std::int64_t>(floor_share(n, 1 - times * rate), 0, n - least);
  Eligible e;
  e.units.assign(order.begin() + fixed, order.end());
  std::sort(e.units.begin(), e.units.end());
  for (const int u : e.units) e.weights.push_back(most - prior[static_cast<std::size_t>(u)]);
  e.draws = static_cast<int>(std::min<std::int64_t>(floor_share(n, rate) + 1, std::ssize(e.units)));
  return e;
}

std::vector<Mask> sub_models(const std::vector<Eligible>& modules, int count, bool pooled,
                             Stream stream) {
  std::vector<double> together;
  int draws = 0;
  for (const Eligible& e : modules) {
    const double sum = std::accumulate(e.weights.begin(), e.weights.end(), 0.0);
    for (const double w : e.weights) together.push_back(sum > 0 ? w / sum * e.draws : 1);
    draws += e.draws;
  }
  std::vector<Mask> masks;
  while (std::ssize(masks) < count) {
    Mask mask(together.size(), 1);
    std::size_t at = 0;
    if (pooled) switch_off(together, draws, mask, stream);
    for (const Eligible& e : modules) {
      if (!pooled) {
        switch_off(e.weights, e.draws, std::span(mask).subspan(at, e.units.size()), stream);
      }
      at += e.units.size();
    }
    masks.push_back(mask);
    for (std::uint8_t& on : mask) on = on != 0 ? 0 : 1;
    masks.push_back(std::move(mask));
  }
  return masks;
}

std::vector<double> ridge(const std::vector<Mask>& masks, const std::vector<double>& utilities,
                          double gamma) {
  Vec means;
  const Matrix a = centred(masks, 0, masks.size(), true, means);
  return values_of(solve(a, chosen(utilities, 0, masks.size(), true), gamma));
}

std::vector<double> cross_validated_ridge(const std::vector<Mask>& masks,
                                          const std::vector<double>& utilities) {
  double best = -2, best_gamma = kGammas[0];
  for (const double gamma : kGammas) {  // descending: among equals the greater stays
    const double tau = masks.size() < 2 * kFolds ? 0 : validated(masks, utilities, gamma);
    if (tau > best) best = tau, best_gamma = gamma;
  }
  Vec means;
  const Matrix a = centred(masks, 0, masks.size(), true, means);
  return values_of(
      solve(a, chosen(utilities, 0, masks.size(), true), best_gamma * mean_diagonal(a)));
}

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  SKIFF_CHECK(a.size() == b.size(), "two rankings of other lengths");
  std::int64_t agree = 0, pairs = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j, ++pairs) {
      const double product = (a[i] - a[j]) * (b[i] - b[j]);
      agree += product > 0 ? 1 : product < 0 ? -1 : 0;
    }
  }
  return pairs == 0 ? 0 : static_cast<double>(agree) / static_cast<double>(pairs);
}

}  // namespace skiff::pruning
