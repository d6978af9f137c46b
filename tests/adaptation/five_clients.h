// The federated test problem of the low-rank methods: N = 5 clients, f_i = sum h_i (W - C_i)^2 / 2,
// W 8 x 12, without a common optimum.
#pragma once

#include "tests/adaptation/matrix_model.h"

namespace skiff::testing {

inline constexpr int kRows = 8, kCols = 12, kClients = 5;
inline double h_of(int i, int a, int b) {
  return 1 + 9 * std::abs(std::sin(1 + 7 * i + 3 * a + 5 * b));
}
inline double c_of(int i, int a, int b) { return std::cos(1 + 2 * i + a + 2 * b); }
inline double heterogeneous(int i, const std::vector<double>& w, std::vector<double>& g) {
  double f = 0;
  for (int a = 0; a < kRows; ++a) {
    for (int b = 0; b < kCols; ++b) {
      const auto at = static_cast<std::size_t>(a * kCols + b);
      const double off = w[at] - c_of(i, a, b);
      g[at] = h_of(i, a, b) * off;
      f += h_of(i, a, b) * off * off / 2;
    }
  }
  return f;
}
inline std::vector<MatrixFunction> heterogeneous_clients() {
  std::vector<MatrixFunction> all;
  for (int i = 0; i < kClients; ++i) {
    all.emplace_back([i](const std::vector<double>& w, std::vector<double>& g) {
      return heterogeneous(i, w, g);
    });
  }
  return all;
}
inline double mean_loss(const std::vector<double>& w) {
  std::vector<double> g(w.size());
  double f = 0;
  for (int i = 0; i < kClients; ++i) f += heterogeneous(i, w, g) / kClients;
  return f;
}
inline double best_loss() {
  std::vector<double> w(kRows * kCols);
  for (int a = 0; a < kRows; ++a) {
    for (int b = 0; b < kCols; ++b) {
      double top = 0, below = 0;
      for (int i = 0; i < kClients; ++i) {
        top += h_of(i, a, b) * c_of(i, a, b), below += h_of(i, a, b);
      }
      w[static_cast<std::size_t>(a * kCols + b)] = top / below;
    }
  }
  return mean_loss(w);
}

}  // namespace skiff::testing
