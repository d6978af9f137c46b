#include "algorithms/kernels/orthonormal.h"

#include <cmath>
#include <cstddef>

namespace skiff::kernels {
namespace {

double dot(const double* a, const double* b, int n) noexcept {
  double sum = 0;
  for (int j = 0; j < n; ++j) sum += a[j] * b[j];
  return sum;
}

}  // namespace

void orthonormalise_rows(std::span<double> rows, int count, int length) noexcept {
  for (int i = 0; i < count; ++i) {
    double* row = rows.data() + std::ptrdiff_t{i} * length;
    const double before = std::sqrt(dot(row, row, length));
    for (int pass = 0; pass < 2; ++pass) {
      for (int k = 0; k < i; ++k) {
        const double* other = rows.data() + std::ptrdiff_t{k} * length;
        const double along = dot(row, other, length);
        for (int j = 0; j < length; ++j) row[j] -= along * other[j];
      }
    }
    const double norm = std::sqrt(dot(row, row, length));
    const bool depends = !(norm > 1e-12 * before);
    for (int j = 0; j < length; ++j) row[j] = depends ? 0 : row[j] / norm;
  }
}

}  // namespace skiff::kernels
