// Rotary positions (Su et al. 2021, arXiv:2104.09864): pairs of a head's values turn by an angle
// that grows with the position.
//
// Pair i of a head of width w at position t turns by t * theta^(-2 i / w):
//   a' = fma(a, cos, -(b sin));  b' = fma(a, sin, b cos)
// and back, for the gradient, with -sin. Pairs: kInterleaved (2i, 2i + 1), as llama2.c has them;
// kHalfSplit (i, i + w/2), as Hugging Face has them. Cosines and sines are computed in double by
// own series, right to the last bit of float but for ties, so they are the same on any machine.
// Thread-safe. Cost: 6 flops a pair.
#pragma once

#include <span>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels {

enum class RopePairing { kInterleaved, kHalfSplit };
enum class Turn { kForth, kBack };

// cosine and sine: positions x head_dim/2, row-major, of positions first, first + 1, ...
void rope_table(std::span<float> cosine, std::span<float> sine, int first, int positions,
                int head_dim, float theta) noexcept;

// Turns x[rows x heads*head_dim] in place; row t by the table's row t.
void rope(MatrixView x, int head_dim, std::span<const float> cosine, std::span<const float> sine,
          RopePairing pairing, Turn turn = Turn::kForth) noexcept;

}  // namespace skiff::kernels
