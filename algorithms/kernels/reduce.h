// Sums of long float arrays with one fixed shape, and the elementwise updates that go with them.
//
// Definition of the 16-lane sums: lane l accumulates elements l, l+16, l+32, ... from 0 (products
// by fma), the array being padded with zeros to a multiple of 16; then the lanes are added as a
// tree: (l, l+8), (l, l+4), (l, l+2), (l, l+1). Neither the address nor the instruction set can
// change a bit. The `_double` variants do the same in double precision on widened floats (products
// of floats are exact there): use them for metrics, norms and anything longer than some 1e5.
// Elementwise functions: element i of the output depends on elements i only; out may equal an
// input. Thread-safe. Cost: one pass over memory.
#pragma once

#include <span>

namespace skiff::kernels {

float dot16(std::span<const float> a, std::span<const float> b) noexcept;
float sum16(std::span<const float> x) noexcept;
float squared_norm16(std::span<const float> x) noexcept;

double dot_double(std::span<const float> a, std::span<const float> b) noexcept;
double sum_double(std::span<const float> x) noexcept;
double sum_double(std::span<const double> x) noexcept;
double squared_norm_double(std::span<const float> x) noexcept;
double squared_distance_double(std::span<const float> a, std::span<const float> b) noexcept;

// The greatest |x[i]|; 0 for an empty span. NaN elements are skipped.
float max_abs(std::span<const float> x) noexcept;
// Whether every element is finite.
bool all_finite(std::span<const float> x) noexcept;

// y = fma(a, x, y)
void axpy(std::span<float> y, float a, std::span<const float> x) noexcept;
// y = fma(a, double(x), y): weighted means over many clients
void axpy(std::span<double> y, double a, std::span<const float> x) noexcept;
// out = fma(a, x, y)
void add_scaled(std::span<float> out, std::span<const float> y, float a,
                std::span<const float> x) noexcept;
// out = a * x
void scale(std::span<float> out, float a, std::span<const float> x) noexcept;
// out = x + y, out = x - y
void add(std::span<float> out, std::span<const float> x, std::span<const float> y) noexcept;
void subtract(std::span<float> out, std::span<const float> x, std::span<const float> y) noexcept;

}  // namespace skiff::kernels
