// Values as HIGGS stores them: codes of a Gaussian grid and a scale for each rotated group.
//
// A row (padded with zeros to whole groups of `group` inputs) is scaled, and its signs turned and
// rotated back, as kernels/rotated_group.h says. Every row has the same signs, drawn from `seed`;
// they cost nothing. Stored: "codes", those of each row packed and begun on a byte (bitpack for 2^k
// points, radixpack else), and "scales", fp16, one a row and group.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/quantization/scale_array.h"

namespace skiff {

struct HiggsFormat {
  const kernels::GaussianGridData* grid = nullptr;
  int group = 1024;
  bool random_signs = true;

  int groups(int cols) const { return (cols + group - 1) / group; }
  std::size_t codes_per_row(int cols) const {
    return static_cast<std::size_t>(groups(cols)) * static_cast<std::size_t>(group) /
           static_cast<std::size_t>(grid->dimension);
  }
  Bytes bytes(int rows, int cols) const;
  Bytes scale_bytes(int rows, int cols) const;  // of these: all but the codes
};

// The group, 32 to 1024, that stores rows of so many inputs in the fewest bits; of equals the
// larger: ceil(cols / g) (g bits + 16).
int best_group(int cols, double bits);

// Throws std::invalid_argument for a group whose scale fp16 cannot hold. unbiased: see
// kernels/rotated_group.h. Rows in parallel.
StoredValuesPtr higgs_values(const HiggsFormat& format, int rows, int cols,
                             std::span<const float> values, std::int64_t seed, bool unbiased);

}  // namespace skiff
