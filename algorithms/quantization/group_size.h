// How many weights share a scale: `group: 64` consecutive inputs of an output (the last group of a
// row may be shorter), `group: row` all of an output, `group: tensor` all of a layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "sim/core/convert.h"

namespace skiff {

struct GroupSize {
  static constexpr int kRow = 0, kTensor = -1;
  int inputs = 32;  // or one of these

  bool is_tensor() const { return inputs == kTensor; }
  int per_row(int cols) const {  // groups of a row; of the tensor if it has one scale
    return inputs <= 0 ? 1 : (cols + inputs - 1) / inputs;
  }
  std::size_t count(int rows, int cols) const {
    if (rows == 0 || cols == 0) return 0;
    return is_tensor() ? 1
                       : static_cast<std::size_t>(rows) * static_cast<std::size_t>(per_row(cols));
  }
  std::size_t index(int row, int col, int cols) const {
    if (is_tensor()) return 0;
    if (inputs == kRow) return static_cast<std::size_t>(row);
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(per_row(cols)) +
           static_cast<std::size_t>(col / inputs);
  }
};

bool convert(const Node& node, GroupSize& out, const Rules& rules, Reader& reader);
std::string print_value(const GroupSize& group);
template <>
struct TypeName<GroupSize> {
  static std::string get() { return "int, row or tensor"; }
};

}  // namespace skiff
