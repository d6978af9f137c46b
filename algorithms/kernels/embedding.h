// Rows of a table by number, and their gradients back.
//
//   gather_rows       out[i] = table[ids[i]]
//   scatter_add_rows  table[ids[i]] += rows[i], for i ascending
// A negative id (padding) stands for 0; ids beyond the table are the caller's mistake. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

void gather_rows(MatrixView out, ConstMatrixView table, std::span<const std::int32_t> ids) noexcept;
void scatter_add_rows(MatrixView table, std::span<const std::int32_t> ids,
                      ConstMatrixView rows) noexcept;

}  // namespace skiff::kernels
