// The gates of an LSTM whose input gate is what its forget gate leaves (CIFG: Greff et al. 2015,
// arXiv:1503.04069).
//
// A row of gates is (f, g, o), each as wide as the cell: before, what the products gave; after,
//   f = sigmoid(f);  g = tanh(g);  o = sigmoid(o)
//   c = fma(f, c_before, (1 - f) g);  t = tanh(c);  h = o t
// Backward, from dh and dc (by the cell after this step), to the gates before activation:
//   dc += dh o (1 - t^2);  df = dc (c_before - g) f (1 - f);  dg = dc (1 - f) (1 - g^2)
//   do = dh t o (1 - o);   dc = dc f, by the cell before
// Element by element; dgates may be gates. Thread-safe. Cost: 4 exponentials a cell.
#pragma once

#include <span>

namespace skiff::kernels {

struct CifgState {  // of one row, n values each
  std::span<float> c, t, h;
};

void cifg(std::span<float> gates, std::span<const float> c_before, CifgState state) noexcept;
void cifg_backward(std::span<float> dgates, std::span<float> dc, std::span<const float> dh,
                   std::span<const float> gates, std::span<const float> c_before,
                   std::span<const float> t) noexcept;

}  // namespace skiff::kernels
