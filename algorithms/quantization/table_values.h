// Values from a table: the code of `dimension` neighbouring inputs says which entry they are, the
// scale of their group multiplies it.
//
// The table is a fixed one (nf4: 0 bytes) or stored, fp16. "codes": those of each row packed and
// begun on a byte, ceil(cols / dimension) of them, what goes beyond the row cut off. "scales":
// fp16, one a group; or, doubly quantized, int8 codes with an fp32 scale for each 256 of them in
// row-major order and the fp32 mean of the matrix: scale = mean + block_scale * code.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/quantization/group_size.h"
#include "algorithms/quantization/scale_array.h"

namespace skiff {

// The 16 levels of NF4 (Dettmers et al. 2023), ascending.
std::span<const float> nf4_levels();

struct TableFormat {
  int bits = 4;  // of a code; the table has 2^bits entries
  int dimension = 1;
  GroupSize group{64};
  bool nf4 = false;  // the fixed table
  bool double_scales = false;

  std::size_t entries() const { return std::size_t{1} << bits; }
  int codes_per_row(int cols) const { return (cols + dimension - 1) / dimension; }
  Bytes bytes(int rows, int cols) const;
  Bytes scale_bytes(int rows, int cols) const;  // of these: all but the codes
};

// Scales doubly quantized: what is stored, and what it reads as.
struct DoubleScales {
  static constexpr std::size_t kBlock = 256;
  std::vector<std::int8_t> codes;
  std::vector<float> block_scales;
  float mean = 0;

  static DoubleScales of(std::span<const float> scales);
  std::vector<float> values() const;
};

struct TableCodes {
  std::vector<std::uint16_t> codes;  // rows x codes_per_row
  std::vector<float> scales;         // fp16 values, or to be doubly quantized
  std::vector<float> table;          // entries x dimension, fp16 values; empty for nf4
};

// What values with a table of their own are made of.
struct TableParts {
  TableFormat format;
  int rows = 0, cols = 0;
  TableCodes codes;
};
// Empty for values that are stored otherwise, nf4 among them.
std::optional<TableParts> table_parts(const StoredValues& values);

StoredValuesPtr table_values(const TableFormat& format, int rows, int cols,
                             const TableCodes& codes);

}  // namespace skiff
