// Rows made orthonormal, in double precision.
#pragma once

#include <span>

namespace skiff::kernels {

// Gram-Schmidt, twice, in order: row i of `rows` (count x length, row-major) keeps its direction up
// to the rows before it, with a positive factor. Rows that depend on those before become zero. From
// independent normal entries this is a uniformly (Haar) distributed frame, and its first rows are
// one too. Serial sums in a fixed order. Cost: 4 count^2 length flops.
void orthonormalise_rows(std::span<double> rows, int count, int length) noexcept;

}  // namespace skiff::kernels
