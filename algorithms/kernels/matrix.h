// Views of row-major float matrices, and of rows that lie anywhere in memory.
//
// Nothing here owns memory; views are passed by value. `stride` is the distance in floats from
// one row to the next (>= cols). `Rows` is an array of row pointers: a batch is gathered by
// pointer from its shard, in shuffled order, and never copied. No alignment is required; rows
// whose addresses are multiples of 32 bytes are the fastest (no load crosses a cache line).
#pragma once

#include <cstddef>

namespace skiff::kernels {

struct Rows {
  const float* const* row;
  int rows;
  int cols;

  const float* operator[](int i) const noexcept { return row[i]; }
};

struct MatrixView {
  float* data;
  int rows;
  int cols;
  int stride;

  float* operator[](int i) const noexcept { return data + std::ptrdiff_t{i} * stride; }
};

struct ConstMatrixView {
  const float* data;
  int rows;
  int cols;
  int stride;

  constexpr ConstMatrixView(const float* d, int r, int c, int s) noexcept
      : data(d), rows(r), cols(c), stride(s) {}
  constexpr ConstMatrixView(MatrixView m) noexcept  // NOLINT: a view of more rights converts
      : data(m.data), rows(m.rows), cols(m.cols), stride(m.stride) {}

  const float* operator[](int i) const noexcept { return data + std::ptrdiff_t{i} * stride; }
};

// Views of dense matrices: the stride is the number of columns.
inline MatrixView dense(float* data, int rows, int cols) noexcept {
  return {data, rows, cols, cols};
}
inline ConstMatrixView dense(const float* data, int rows, int cols) noexcept {
  return {data, rows, cols, cols};
}

}  // namespace skiff::kernels
