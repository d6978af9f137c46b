#include "algorithms/kernels/low_rank_sum.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/orthonormal.h"

namespace skiff::kernels {
namespace {

constexpr int kMore = 8;          // dimensions beyond those wanted
constexpr int kDirect = 64;       // terms whose space is taken as it is
constexpr int kIterations = 100;  // at most

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

std::size_t product(int a, int b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

int dimensions(int k, int terms, int m, int n) {
  return terms <= kDirect ? terms : std::min({terms, k + kMore, m, n});
}

// result (count x out.cols) = q (count x in.cols) times the sum of `in_j out_j'`.
Floats apply(const Floats& q, int count, ConstMatrixView in, ConstMatrixView out) {
  Floats along(product(count, in.rows)), result(product(count, out.cols));
  gemm_nt(dense(along.data(), count, in.rows), dense(q.data(), count, in.cols), in);
  gemm_nn(dense(result.data(), count, out.cols), dense(std::as_const(along).data(), count, in.rows),
          out);
  return result;
}

// Orthonormal rows of q; `norms`: the length of each before, those it depends on taken off.
void orthonormal(Floats& q, int count, int length) {
  Doubles rows(q.begin(), q.end());
  orthonormalise_rows(rows, count, length);
  std::transform(rows.begin(), rows.end(), q.begin(), [](double x) { return float(x); });
}

double dot(const double* x, const double* y, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

void rotate(double* x, double* y, int n, double c, double s) {
  for (int i = 0; i < n; ++i) {
    const double old = x[i];
    x[i] = c * old - s * y[i];
    y[i] = s * old + c * y[i];
  }
}

// One-sided Jacobi: rows of y (count x length) become orthogonal; `turn` (count x width) turns too.
void orthogonalise(Doubles& y, int count, int length, Doubles& turn, int width) {
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool moved = false;
    for (int i = 0; i < count; ++i) {
      for (int j = i + 1; j < count; ++j) {
        double *u = y.data() + product(i, length), *v = y.data() + product(j, length);
        const double uu = dot(u, u, length), vv = dot(v, v, length), uv = dot(u, v, length);
        if (std::abs(uv) <= 1e-14 * std::sqrt(uu * vv) || uv == 0) continue;
        moved = true;
        const double zeta = (vv - uu) / (2 * uv);
        const double t = (zeta >= 0 ? 1 : -1) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        const double c = 1 / std::sqrt(1 + t * t);
        rotate(u, v, length, c, c * t);
        rotate(turn.data() + product(i, width), turn.data() + product(j, width), width, c, c * t);
      }
    }
    if (!moved) return;
  }
}

// The space (count x n) of the greatest right singular vectors.
Floats right_space(int count, ConstMatrixView b, ConstMatrixView a) {
  const int terms = a.rows, m = b.cols, n = a.cols;
  Floats q(product(count, n));
  for (int i = 0; i < count; ++i) {  // mixtures of the terms, each term in one of them
    for (int j = i; j < terms; j += count) {
      for (int l = 0; l < n; ++l) q[product(i, n) + l] += a[j][l];
    }
  }
  orthonormal(q, count, n);
  if (count == terms) return q;
  Doubles before(static_cast<std::size_t>(count));
  for (int step = 0; step < kIterations; ++step) {
    Floats y = apply(q, count, a, b);
    Doubles lengths(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const Doubles row(y.begin() + static_cast<std::ptrdiff_t>(product(i, m)),
                        y.begin() + static_cast<std::ptrdiff_t>(product(i + 1, m)));
      lengths[static_cast<std::size_t>(i)] = std::sqrt(dot(row.data(), row.data(), m));
    }
    std::sort(lengths.begin(), lengths.end(), std::greater<>());
    orthonormal(y, count, m);
    q = apply(y, count, b, a);
    orthonormal(q, count, n);
    double change = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      change = std::max(change, std::abs(lengths[i] - before[i]));
    }
    before = lengths;
    if (step > 3 && change <= 1e-6 * lengths.front()) break;
  }
  return q;
}

}  // namespace

SingularTriples best_low_rank(int k, ConstMatrixView b, ConstMatrixView a) {
  const int m = b.cols, n = a.cols, count = dimensions(k, a.rows, m, n);
  Doubles left, right;
  {
    const Floats q = right_space(count, b, a);
    const Floats y = apply(q, count, a, b);
    left.assign(y.begin(), y.end());
    right.assign(q.begin(), q.end());
  }
  orthogonalise(left, count, m, right, n);
  Doubles sizes(static_cast<std::size_t>(count));
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int i = 0; i < count; ++i) {
    const double* row = left.data() + product(i, m);
    sizes[static_cast<std::size_t>(i)] = std::sqrt(dot(row, row, m));
  }
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) {
    return sizes[static_cast<std::size_t>(i)] > sizes[static_cast<std::size_t>(j)];
  });
  SingularTriples out{Doubles(static_cast<std::size_t>(k)), Doubles(product(k, m)),
                      Doubles(product(k, n))};
  for (int i = 0; i < std::min(k, count); ++i) {
    const int from = order[static_cast<std::size_t>(i)];
    const double size = sizes[static_cast<std::size_t>(from)];
    out.values[static_cast<std::size_t>(i)] = size;
    for (int l = 0; l < m && size > 0; ++l) {
      out.left[product(i, m) + l] = left[product(from, m) + l] / size;
    }
    for (int l = 0; l < n; ++l) out.right[product(i, n) + l] = right[product(from, n) + l];
  }
  return out;
}

// The space, the image of it and both in double; then these and the result; or, in an iteration,
// the space before and after, the image and what both are along the terms.
std::size_t low_rank_room(int k, int most_terms, int m, int n) {
  const int count = std::max(std::min(most_terms, kDirect), dimensions(k, most_terms, m, n));
  const std::size_t few = product(2, m) + product(count, 5) + product(2, k);
  return few + std::max({product(3 * count, m + n), product(2 * (count + k), m + n),
                         product(count, 2 * n + m + most_terms)});
}

}  // namespace skiff::kernels
