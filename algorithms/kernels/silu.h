// SwiGLU (Shazeer 2020, arXiv:2002.05202): h = silu(gate) * up, silu(v) = v / (1 + e^-v).
//
//   s = sigmoid(gate) (exp.h);  h = (gate * s) * up
//   d_up = dh * (gate * s);  d_gate = (dh * up) * (s * fma(gate, 1 - s, 1))
// Element by element: outputs may be inputs. Thread-safe. Cost: one exponential an element.
#pragma once

#include <span>

namespace skiff::kernels {

void swiglu(std::span<float> h, std::span<const float> gate, std::span<const float> up) noexcept;
void swiglu_backward(std::span<float> d_gate, std::span<float> d_up, std::span<const float> dh,
                     std::span<const float> gate, std::span<const float> up) noexcept;

}  // namespace skiff::kernels
