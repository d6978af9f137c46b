// Fast Walsh-Hadamard transform, in place and not normalised.
//
// x <- H x with H_ij = (-1)^popcount(i & j), Sylvester's natural order: symmetric, H H = n I. Every
// output is made by log2(n) rounds of butterflies (a, b) <- (a + b, a - b) over distances 1, 2, 4,
// ..., each one addition: passes over memory and instruction sets change no bit of it.
// Size: a power of two. Thread-safe. Cost: n log2(n) additions; for n <= 4096 within the L1 cache.
#pragma once

#include <span>

namespace skiff::kernels {

void fwht(std::span<float> x) noexcept;

}  // namespace skiff::kernels
