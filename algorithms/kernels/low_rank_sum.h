// The best approximation of rank k of a sum of outer products, without the matrix.
#pragma once

#include <cstddef>
#include <vector>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

struct SingularTriples {
  std::vector<double> values;       // k, descending
  std::vector<double> left, right;  // k x m and k x n, row-major; orthonormal rows
};

// M = sum_j b_j a_j' with b: R x m and a: R x n; the k greatest singular triples of M.
//
// While R is small the row space of a is orthonormalised and nothing is lost. Beyond, the space of
// the k + 8 greatest right singular vectors is found by subspace iteration from a fixed start,
// until no value moves by more than 1e-6 of the greatest (single-precision products): the
// truncation error is then the least possible up to that. The singular vectors are those of the
// projection, by one-sided Jacobi rotations in double. Same bits on any machine and number of
// threads. Cost: 4 R (m + n) (k + 8) flops an iteration, some ten.
SingularTriples best_low_rank(int k, ConstMatrixView b, ConstMatrixView a);
// Floats (a double is two) that it holds at most, with what it returns, of so many terms or fewer.
std::size_t low_rank_room(int k, int most_terms, int m, int n);

}  // namespace skiff::kernels
