// Memory described once: a function that visits pieces takes them with a MemoryTaker and counts
// them with a MemoryCounter, so declared bytes are taken bytes by construction.
#pragma once

#include "algorithms/models/dense_layers.h"
#include "algorithms/models/linear.h"

namespace skiff {

struct MemoryTaker {
  Workspace& workspace;
  void matrix(kernels::MatrixView& m, int rows, int cols) const {
    m = take_matrix(rows, cols, workspace);
  }
  template <class T>
  void array(std::span<T>& a, std::size_t n) const {
    a = workspace.take<T>(n);
  }
};

struct MemoryCounter {
  Bytes& bytes;
  void matrix(kernels::MatrixView& /*m*/, int rows, int cols) const {
    bytes += matrix_bytes(rows, cols);
  }
  template <class T>
  void array(std::span<T>& /*a*/, std::size_t n) const {
    bytes += taken_bytes<T>(static_cast<std::int64_t>(n));
  }
};

}  // namespace skiff
