#include "algorithms/kernels/pooling.h"

#include <algorithm>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;
using simd::I8;

// All 8 lanes, where no mask is needed: a masked store is microcode on some cores.
struct Whole {};
F8 load(const float* p, Whole) noexcept { return simd::load8(p); }
F8 load(const float* p, I8 mask) noexcept { return simd::load8(p, mask); }
void store(float* p, F8 v, Whole) noexcept { simd::store(p, v); }
void store(float* p, F8 v, I8 mask) noexcept { simd::store(p, v, mask); }

struct Best {
  F8 value;
  I8 place;
};

// A later candidate wins if it is greater, or the first NaN.
void challenge(Best& best, F8 value, int place) noexcept {
  // NOLINTNEXTLINE(misc-redundant-expression): only a NaN differs from itself
  const I8 nan = value != value, number = best.value == best.value;
  const I8 wins = (value > best.value) | (nan & number);
  best.value = wins ? value : best.value;
  best.place = wins ? I8{} + place : best.place;
}

// The four places of a window: the image row above, the one below, `channels` floats apart.
template <class Mask>
Best window(const float* above, const float* below, int channels, Mask mask) noexcept {
  Best best{load(above, mask), I8{}};
  challenge(best, load(above + channels, mask), 1);
  challenge(best, load(below, mask), 2);
  challenge(best, load(below + channels, mask), 3);
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

// Calls body(image offset of the window, pooled offset, lanes, their mask) for 8 channels at a
// time.
template <class Body>
void for_windows(const Pooling& s, Body body) noexcept {
  const int row = s.width * s.channels;
  std::ptrdiff_t pooled = 0;
  for (int y = 0; y + 1 < s.height; y += 2) {
    for (int x = 0; x + 1 < s.width; x += 2) {
      const std::ptrdiff_t at = std::ptrdiff_t{y} * row + x * s.channels;
      int c = 0;
      for (; c + 8 <= s.channels; c += 8) body(at + c, pooled + c, 8, Whole{});
      if (const int rest = s.channels - c; rest > 0) {
        body(at + c, pooled + c, rest, simd::mask8(rest));
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

template <class Mask>
void spread(float* d, std::ptrdiff_t row, int channels, F8 gradient, I8 place, Mask mask) noexcept {
  const F8 zero{};
  store(d, place == 0 ? gradient : zero, mask);
  store(d + channels, place == 1 ? gradient : zero, mask);
  store(d + row, place == 2 ? gradient : zero, mask);
  store(d + row + channels, place == 3 ? gradient : zero, mask);
}

}  // namespace

void max_pool(std::span<float> pooled, std::span<std::uint8_t> winner, std::span<const float> image,
              const Pooling& shape, Activation activation) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes, auto mask) {
    const float* above = image.data() + at;
    Best best = window(above, above + row, shape.channels, mask);
    if (activation == Activation::kRelu) best.value = simd::greatest(F8{}, best.value);
    store(pooled.data() + out, best.value, mask);
    store_bytes(winner.data() + out, best.place, lanes);
  });
}

void max_unpool(std::span<float> d_image, std::span<const float> d_pooled,
                std::span<const std::uint8_t> winner, const Pooling& shape) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes, auto mask) {
    spread(d_image.data() + at, row, shape.channels, load(d_pooled.data() + out, mask),
           load_bytes(winner.data() + out, lanes), mask);
  });
  clear_margin(d_image.data(), shape);
}

void max_unpool_relu(std::span<float> d_image, std::span<const float> d_pooled,
                     std::span<const std::uint8_t> winner, std::span<const float> pooled,
                     const Pooling& shape) noexcept {
  const std::ptrdiff_t row = std::ptrdiff_t{shape.width} * shape.channels;
  for_windows(shape, [&](std::ptrdiff_t at, std::ptrdiff_t out, int lanes, auto mask) {
    const F8 gradient = load(d_pooled.data() + out, mask);
    const F8 passed = load(pooled.data() + out, mask) > F8{} ? gradient : F8{};
    spread(d_image.data() + at, row, shape.channels, passed, load_bytes(winner.data() + out, lanes),
           mask);
  });
  clear_margin(d_image.data(), shape);
}

}  // namespace skiff::kernels
