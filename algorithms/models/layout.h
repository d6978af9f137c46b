// A model is one flat float array and a table of named slices.
//
// Deltas, control variates, error feedback, checkpoints and averages all speak this language. A
// Layout has no weights in it, so it is also the shape of a model that is never allocated.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace skiff {

// How a weight matrix of a layer with `rows` outputs and `cols` inputs lies in memory.
// kOutIn: rows x cols, row-major (narrow heads, biases, norms). kInOut: cols x rows (hidden
// layers: the forward pass is then contiguous over outputs).
enum class Order { kOutIn, kInOut };

struct Slice {
  std::string name;  // "hidden.0.weight"
  int rows = 0;      // outputs (a bias is rows x 1)
  int cols = 1;      // inputs
  std::size_t offset = 0;
  Order order = Order::kOutIn;
  std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  }
  bool is_matrix() const { return rows > 1 && cols > 1; }
};

struct Layout {
  std::vector<Slice> slices;
  std::size_t size = 0;

  // Appends a slice and returns its index.
  std::size_t add(std::string name, int rows, int cols, Order order = Order::kOutIn);
  const Slice* find(std::string_view name) const;  // null if absent
};
using LayoutPtr = std::shared_ptr<const Layout>;

// A layout of one slice of n values: for codecs and tests.
LayoutPtr flat_layout(std::size_t n);

struct Vector {
  LayoutPtr layout;
  std::vector<float> values;

  Vector() = default;
  explicit Vector(LayoutPtr l) : layout(std::move(l)), values(layout->size, 0.0f) {}
};

}  // namespace skiff
