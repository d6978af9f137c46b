// Max pooling by 2 x 2, stride 2, channels last, with the winners' places for the way back.
//
// Layouts: image [height][width][channels], pooled [height / 2][width / 2][channels]; an odd last
// row or column takes no part and gets a zero gradient. The winner is the first of (0,0), (0,1),
// (1,0), (1,1) that holds the greatest value, or the first NaN if there is one; its place 0..3 is
// one byte. A ReLU behind a pooling may be fused: relu(max) and, on the way back, nothing where the
// pooled output is not positive; the same values as a ReLU before it. Thread-safe. Cost: one pass.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/kernels/gemm.h"

namespace skiff::kernels {

struct Pooling {
  int height, width, channels;
};

void max_pool(std::span<float> pooled, std::span<std::uint8_t> winner, std::span<const float> image,
              const Pooling& shape, Activation activation = Activation::kNone) noexcept;

// Writes the whole gradient of the image.
void max_unpool(std::span<float> d_image, std::span<const float> d_pooled,
                std::span<const std::uint8_t> winner, const Pooling& shape) noexcept;
// Behind a fused ReLU whose output is `pooled`.
void max_unpool_relu(std::span<float> d_image, std::span<const float> d_pooled,
                     std::span<const std::uint8_t> winner, std::span<const float> pooled,
                     const Pooling& shape) noexcept;

}  // namespace skiff::kernels
