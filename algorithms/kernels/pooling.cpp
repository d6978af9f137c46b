#include "algorithms/kernels/pooling.h"

#include <algorithm>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;
using simd::I8;

struct Best {
  F8 value;
  I8 place;
};

// A later candidate wins if it is greater, or the first NaN.
void challenge(Best& best, F8 value, int place) noexcept {
  const I8 wins = (value > best.value) | ((value != value) & (best.value == best.value));
  best.value = wins ? value : best.value;
  best.place = wins ? I8{} + place : best.place;
}

// The four places of a window: the image row above, the one below, `channels` floats apart.
Best window(const float* above, const float* below, int channels, I8 mask) noexcept {
  Best best{simd::load8(above, mask), I8{}};
  challenge(best, simd::load8(above + channels, mask), 1);
  challenge(best, simd::load8(below, mask), 2);
  challenge(best, simd::load8(below + channels, mask), 3);
  return best;
}

void store_bytes(std::uint8_t* to, I8 places, int count) noexcept {
  const __m256i wide = reinterpret_cast<__m256i>(places);
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
  const auto bytes = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_packus_epi16(words, words)));
  std::memcpy(to, &bytes, static_cast<std::size_t>(count));
}

I8 load_bytes(const std::uint8_t* from, int count) noexcept {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, from, static_cast<std::size_t>(count));
  return reinterpret_cast<I8>(
      _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes))));
}

// Calls body(image offset of the window, pooled offset, lanes) for 8 channels at a time.
template <class Body>
void for_windows(const Pooling& s, Body body) noexcept {
  const int row = s.width * s.channels;
  std::ptrdiff_t pooled = 0;
  for (int y = 0; y + 1 < s.height; y += 2) {
    for (int x = 0; x + 1 < s.width; x += 2) {
      const std::ptrdiff_t at = std::ptrdiff_t{y} * row + x * s.channels;
      for (int c = 0; c < s.channels; c += 8) {
        body(at + c, pooled + c, std::min(8, s.channels - c));
      }
      pooled += s.channels;
    }
  }
}

// Zero gradients of an odd last column and row.
void clear_margin(float* d, const Pooling& s) noexcept {
  const int row = s.width * s.channels;
  if (s.width % 2 == 1) {
    for (int y = 0; y < s.height; ++y)
      std::fill_n(d + std::ptrdiff_t{y + 1} * row - s.channels, s.channels, 0.0F);
  }
  if (s.height % 2 == 1) std::fill_n(d + std::ptrdiff_t{s.height - 1} * row, row, 0.0F);
}

void spread(float* d, std::ptrdiff_t row, int channels, F8 gradient, I8 place, I8 mask) noexcept {
  const F8 zero{};
  simd::store(d, place == 0 ? gradient : zero, mask);
  simd::store(d + channels, place == 1 ? gradient : zero, mask);
  simd::store(d + row, place == 2 ? gradient : zero, mask);
  simd::store(d + row + channels, place == 3 ? gradient : zero, mask);
}

}  // namespace

void max_pool(std::span<float> pooled, std::span<std::uint8_t> winner, std::span<const float> image,
              const Pooling& shape, Activation activation) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes) {
    const I8 mask = simd::mask8(lanes);
    const float* above = image.data() + at;
    Best best = window(above, above + row, shape.channels, mask);
    if (activation == Activation::kRelu) best.value = simd::greatest(F8{}, best.value);
    simd::store(pooled.data() + out, best.value, mask);
    store_bytes(winner.data() + out, best.place, lanes);
  });
}

void max_unpool(std::span<float> d_image, std::span<const float> d_pooled,
                std::span<const std::uint8_t> winner, const Pooling& shape) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes) {
    const I8 mask = simd::mask8(lanes);
    spread(d_image.data() + at, row, shape.channels, simd::load8(d_pooled.data() + out, mask),
           load_bytes(winner.data() + out, lanes), mask);
  });
  clear_margin(d_image.data(), shape);
}

void max_unpool_relu(std::span<float> d_image, std::span<const float> d_pooled,
                     std::span<const std::uint8_t> winner, std::span<const float> pooled,
                     const Pooling& shape) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes) {
    const I8 mask = simd::mask8(lanes);
    const F8 gradient = simd::load8(d_pooled.data() + out, mask);
    const F8 passed = simd::load8(pooled.data() + out, mask) > F8{} ? gradient : F8{};
    spread(d_image.data() + at, row, shape.channels, passed, load_bytes(winner.data() + out, lanes),
           mask);
  });
  clear_margin(d_image.data(), shape);
}

}  // namespace skiff::kernels
