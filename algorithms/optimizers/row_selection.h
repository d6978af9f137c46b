// Which rows of a gradient GRASS keeps (Muhamed et al. 2024, arXiv:2406.17660, section 3), from the
// squared norms a_i^2 of all of them, and the factor rho_j that goes with each.
//
//   top-r            the r largest, ties to the lower number; rho = 1: the least |P P^T G - G|
//   multi-norm-r     r draws with replacement, q_i ~ a_i;    rho_j = 1 / sqrt(r q_j): the expected
//   multi-norm2-r    the same with q_i ~ a_i^2               P P^T is the identity; its variance is
//   uniform-r        the same with q_i = 1 / m               (sum a_i^2 / q_i - sum a_i^2) / r
//   multi-norm-nr, multi-norm2-nr, uniform-nr   r draws without replacement, one after the other,
//                    in proportion to what is left; rho = 1
// Rows of norm 0 are not drawn by the norms; where too few are left, the lowest numbers that are
// missing follow, with rho = 1; so they do where a norm is not finite. Pure; serial sums.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/core/random.h"

namespace skiff {

enum class RowSelection : std::uint8_t {
  kTopR,
  kMultiNormR,
  kMultiNorm2R,
  kUniformR,
  kMultiNormNr,
  kMultiNorm2Nr,
  kUniformNr
};
const std::vector<std::string>& row_selection_words();
RowSelection row_selection_of(const std::string& word);

struct SelectedRows {
  std::vector<std::uint32_t> rows;
  std::vector<float> rho;
};
// r <= squared_norms.size().
SelectedRows select_rows(RowSelection how, std::span<const double> squared_norms, int r,
                         Stream stream);
// Floats that it takes beside what it is given and returns.
inline std::int64_t select_rows_room(std::int64_t rows) { return 3 * rows; }

}  // namespace skiff
