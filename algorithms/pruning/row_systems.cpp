#include "algorithms/pruning/row_systems.h"

#include <algorithm>
#include <cmath>

namespace skiff::pruning {
namespace {

constexpr int kColumns = 4;  // factored at once; sizes are filled up to a multiple of it

std::size_t index(int i) { return static_cast<std::size_t>(i); }

}  // namespace

void RowSystems::solve(const double* g, int width, const Row* rows, int count) {
  n_ = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    std::vector<int>& q = q_[index(lane)];
    q.clear();
    for (int j = 0; lane < count && j < width; ++j) {
      if (rows[lane].mask[j] != 0) q.push_back(j);
    }
    n_ = std::max(n_, static_cast<int>(q.size()));
  }
  if (n_ == 0) return;
  n_ = (n_ + kColumns - 1) / kColumns * kColumns;
  a_.resize(index(n_ + 1) * index(n_));
  inverse_.resize(index(n_));
  for (int lane = 0; lane < kLanes; ++lane) fill(g, width, rows[std::min(lane, count - 1)], lane);
  factor();
  substitute();
  for (int lane = 0; lane < count; ++lane) {
    const std::vector<int>& q = q_[index(lane)];
    for (std::size_t i = 0; i < q.size(); ++i) {
      rows[lane].lambda[q[i]] = at(n_, static_cast<int>(i))[lane];
    }
  }
}

void RowSystems::fill(const double* g, int width, const Row& row, int lane) {
  const std::vector<int>& q = q_[index(lane)];
  const auto size = static_cast<int>(q.size());
  for (int i = 0; i < n_; ++i) {
    const double* column = i < size ? g + index(q[index(i)]) * index(width) : nullptr;
    for (int k = 0; k < i; ++k) at(i, k)[lane] = column != nullptr ? column[q[index(k)]] : 0;
    at(i, i)[lane] = column != nullptr ? column[q[index(i)]] : 1;
    at(n_, i)[lane] = column != nullptr ? row.weights[q[index(i)]] : 0;
  }
}

// Rows i and k of what is left in the columns from j on, after the columns before j.
RowSystems::Pair RowSystems::left(int i, int k, int j) {
  const Lanes *x = &at(i, 0), *y = &at(k, 0);
  const Lanes *p0 = &at(j, 0), *p1 = &at(j + 1, 0), *p2 = &at(j + 2, 0), *p3 = &at(j + 3, 0);
  Lanes x0 = x[j], x1 = x[j + 1], x2 = x[j + 2], x3 = x[j + 3];
  Lanes y0 = y[j], y1 = y[j + 1], y2 = y[j + 2], y3 = y[j + 3];
  for (int m = 0; m < j; ++m) {
    const Lanes xm = x[m], ym = y[m];
    x0 -= xm * p0[m];
    x1 -= xm * p1[m];
    x2 -= xm * p2[m];
    x3 -= xm * p3[m];
    y0 -= ym * p0[m];
    y1 -= ym * p1[m];
    y2 -= ym * p2[m];
    y3 -= ym * p3[m];
  }
  return {{{x0, x1, x2, x3}, {y0, y1, y2, y3}}};
}

// The columns from j on of row i: what is left of it times the inverse of the corner, transposed.
void RowSystems::put(int i, int j, Four& sum, int width) {
  for (int c = 0; c < width; ++c) {
    for (int m = 0; m < c; ++m) sum[index(c)] -= sum[index(m)] * at(j + c, j + m);
    sum[index(c)] *= inverse_[index(j + c)];
    at(i, j + c) = sum[index(c)];
  }
}

// L L^T, some columns at a time; the right sides, as one row more, become L^-1 w on the way.
void RowSystems::factor() {
  for (int j = 0; j < n_; j += kColumns) {
    for (int r = 0; r < kColumns; r += 2) {
      Pair corner = left(j + r, j + r + 1, j);
      for (int half = 0; half < 2; ++half) {
        const int row = r + half;
        Four& sum = corner[index(half)];
        put(j + row, j, sum, row);
        Lanes rest = sum[index(row)];
        for (int m = 0; m < row; ++m) rest -= sum[index(m)] * sum[index(m)];
        for (int lane = 0; lane < kLanes; ++lane) {
          inverse_[index(j + row)][lane] = 1 / std::sqrt(rest[lane]);
        }
      }
    }
    for (int i = j + kColumns; i <= n_; i += 2) {
      const int next = std::min(i + 1, n_);
      Pair sum = left(i, next, j);
      put(i, j, sum[0], kColumns);
      if (next != i) put(next, j, sum[1], kColumns);
    }
  }
}

// x = L^-T y, in the place of y.
void RowSystems::substitute() {
  Lanes* x = &at(n_, 0);
  for (int i = n_ - 1; i >= 0; --i) {
    x[i] *= inverse_[index(i)];
    const Lanes* row = &at(i, 0);
    const Lanes known = x[i];
    for (int k = 0; k < i; ++k) x[k] -= row[k] * known;
  }
}

}  // namespace skiff::pruning
