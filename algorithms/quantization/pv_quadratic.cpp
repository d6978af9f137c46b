#include "algorithms/quantization/pv_quadratic.h"

#include <Eigen/Cholesky>
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr double kMostAssignments = 1e5;

int nearest(const std::vector<double>& values, double x) {
  int best = 0;
  for (int v = 1; v < static_cast<int>(values.size()); ++v) {
    const auto i = static_cast<std::size_t>(v), b = static_cast<std::size_t>(best);
    if (std::abs(values[i] - x) < std::abs(values[b] - x)) best = v;
  }
  return best;
}

Shared best_of_all(const Quadratic& phi, Shared x) {
  Shared best = x;
  double least = phi.at(x.point());
  std::fill(x.labels.begin(), x.labels.end(), 0);
  for (std::size_t i = 0; i < x.labels.size();) {
    const double value = phi.at(x.point());
    if (value < least) {
      least = value;
      best = x;
    }
    for (i = 0; i < x.labels.size(); ++i) {  // counting on
      if (++x.labels[i] < static_cast<int>(x.values.size())) break;
      x.labels[i] = 0;
    }
  }
  return best;
}

// One coordinate after another takes its best value, until none gains.
Shared by_descent(const Quadratic& phi, Shared x) {
  const std::size_t d = phi.size();
  std::vector<double> point = x.point(), g = phi.gradient(point);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < d; ++i) {
      double best = -1e-12;
      int label = x.labels[i];
      for (int v = 0; v < static_cast<int>(x.values.size()); ++v) {
        const double e = x.values[static_cast<std::size_t>(v)] - point[i];
        const double change = g[i] * e + phi.a[i * d + i] * e * e;
        if (change < best) {
          best = change;
          label = v;
        }
      }
      if (label == x.labels[i]) continue;
      const double e = x.values[static_cast<std::size_t>(label)] - point[i];
      for (std::size_t j = 0; j < d; ++j) g[j] += 2 * phi.a[j * d + i] * e;
      point[i] += e;
      x.labels[i] = label;
      moved = true;
    }
  }
  return x;
}

}  // namespace

double Quadratic::at(std::span<const double> x) const {
  double sum = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    double row = 0;
    for (std::size_t j = 0; j < size(); ++j) row += a[i * size() + j] * (x[j] - w[j]);
    sum += (x[i] - w[i]) * row;
  }
  return sum;
}

std::vector<double> Quadratic::gradient(std::span<const double> x) const {
  std::vector<double> g(size());
  for (std::size_t i = 0; i < size(); ++i) {
    for (std::size_t j = 0; j < size(); ++j) g[i] += 2 * a[i * size() + j] * (x[j] - w[j]);
  }
  return g;
}

Shared Shared::of(std::span<const double> x) {
  Shared shared{{x.begin(), x.end()}, {}};
  std::sort(shared.values.begin(), shared.values.end());
  shared.values.erase(std::unique(shared.values.begin(), shared.values.end()), shared.values.end());
  for (const double v : x) shared.labels.push_back(nearest(shared.values, v));
  return shared;
}

std::vector<double> Shared::point() const {
  std::vector<double> x;
  for (const int label : labels) x.push_back(values[static_cast<std::size_t>(label)]);
  return x;
}

Shared p_step(const Quadratic& phi, const Shared& x) {
  const Shared used = Shared::of(x.point());
  const auto c = static_cast<Eigen::Index>(used.values.size());
  const std::size_t d = phi.size();
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(c, c);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(c);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      system(used.labels[i], used.labels[j]) += phi.a[i * d + j];
      right(used.labels[i]) += phi.a[i * d + j] * phi.w[j];
    }
  }
  const Eigen::VectorXd solved = system.ldlt().solve(right);
  return {{solved.data(), solved.data() + c}, used.labels};
}

Shared exact_v_step(const Quadratic& phi, const Shared& x) {
  const double assignments =
      std::pow(static_cast<double>(x.values.size()), static_cast<double>(phi.size()));
  return assignments <= kMostAssignments ? best_of_all(phi, x) : by_descent(phi, x);
}

Shared pv_exact(const Quadratic& phi, const Shared& start, std::vector<double>& trace) {
  Shared x = start;
  trace = {phi.at(x.point())};
  for (;;) {
    Shared y = p_step(phi, x);
    const double before = phi.at(y.point());
    trace.push_back(before);
    x = exact_v_step(phi, y);
    const double after = phi.at(x.point());
    if (after >= before - 1e-12 * (1 + std::abs(before))) return y;
    trace.push_back(after);
  }
}

double subspace_smoothness(const Quadratic& phi, std::span<const std::size_t> s) {
  const std::size_t d = phi.size();
  const auto n = static_cast<Eigen::Index>(s.size());
  Eigen::MatrixXd block(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      block(i, j) = 2 * phi.a[s[static_cast<std::size_t>(i)] * d + s[static_cast<std::size_t>(j)]];
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(block, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().maxCoeff() * (1 + 1e-12);
}

Shared subspace_v_step(const Quadratic& phi, const Shared& x, std::span<const std::size_t> s) {
  Shared next = x;
  if (s.empty()) return next;
  const std::vector<double> y = x.point(), g = phi.gradient(y);
  const double smoothness = subspace_smoothness(phi, s);
  for (const std::size_t i : s) next.labels[i] = nearest(x.values, y[i] - g[i] / smoothness);
  return next;
}

Shared predicted_v_step(const Quadratic& phi, const Shared& x, std::size_t most) {
  const std::size_t d = phi.size();
  const std::vector<double> y = x.point(), g = phi.gradient(y);
  std::vector<std::pair<double, std::size_t>> gains;
  for (std::size_t i = 0; i < d; ++i) {
    double least = 0;
    for (const double v : x.values) {
      const double e = v - y[i];
      least = std::min(least, g[i] * e + phi.a[i * d + i] * e * e);
    }
    if (least < 0) gains.emplace_back(least, i);
  }
  std::sort(gains.begin(), gains.end());
  for (std::size_t count = std::min(most, gains.size()); count > 0; count /= 2) {
    std::vector<std::size_t> s;
    for (std::size_t k = 0; k < count; ++k) s.push_back(gains[k].second);
    Shared next = subspace_v_step(phi, x, s);
    if (next.labels != x.labels) return next;
  }
  return x;
}

}  // namespace skiff
