// GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415): x times the normal distribution's Phi(x).
//
//   kErf   y = x/2 * (1 + erf(x / sqrt 2));  dy/dx = Phi(x) + x e^(-x^2/2) / sqrt(2 pi)
//   kTanh  y = x/2 * (1 + t), t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3)
//          dy/dx = (1 + t)/2 + x/2 * (1 - t^2) du/dx
// erf, exp and tanh are those of exp.h. Element by element: outputs may be inputs. Thread-safe.
#pragma once

#include <span>

namespace skiff::kernels {

enum class Gelu { kErf, kTanh };

void gelu(std::span<float> y, std::span<const float> x, Gelu form) noexcept;
// dx = dy * gelu'(x)
void gelu_backward(std::span<float> dx, std::span<const float> dy, std::span<const float> x,
                   Gelu form) noexcept;

}  // namespace skiff::kernels
