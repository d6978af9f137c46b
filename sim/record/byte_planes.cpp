#include "sim/record/byte_planes.h"

#include <immintrin.h>

#include <cstring>

namespace skiff {
namespace {

__m128i load(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

void store(std::uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

// Sixteen elements of 8 bytes: pairs the bytes of two elements, then transposes 8 x 8 pairs.
void split_sixteen_of_8(const std::byte* in, std::size_t n, std::uint8_t* out) {
  const __m128i pair = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  __m128i a[8], b[8];
  for (int i = 0; i < 8; ++i) a[i] = _mm_shuffle_epi8(load(in + 16 * i), pair);
  for (int i = 0; i < 4; ++i) {
    b[2 * i] = _mm_unpacklo_epi16(a[2 * i], a[2 * i + 1]);      // planes 0..3 of two registers
    b[2 * i + 1] = _mm_unpackhi_epi16(a[2 * i], a[2 * i + 1]);  // planes 4..7
  }
  for (int half = 0; half < 2; ++half) {
    const __m128i low0 = _mm_unpacklo_epi32(b[half], b[half + 2]);
    const __m128i high0 = _mm_unpackhi_epi32(b[half], b[half + 2]);
    const __m128i low1 = _mm_unpacklo_epi32(b[half + 4], b[half + 6]);
    const __m128i high1 = _mm_unpackhi_epi32(b[half + 4], b[half + 6]);
    std::uint8_t* plane = out + static_cast<std::size_t>(4 * half) * n;
    store(plane, _mm_unpacklo_epi64(low0, low1));
    store(plane + n, _mm_unpackhi_epi64(low0, low1));
    store(plane + 2 * n, _mm_unpacklo_epi64(high0, high1));
    store(plane + 3 * n, _mm_unpackhi_epi64(high0, high1));
  }
}

// Sixteen elements of 4 bytes: gathers the bytes of four elements, then transposes 4 x 4 of those.
void split_sixteen_of_4(const std::byte* in, std::size_t n, std::uint8_t* out) {
  const __m128i four = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m128i a[4];
  for (int i = 0; i < 4; ++i) a[i] = _mm_shuffle_epi8(load(in + 16 * i), four);
  const __m128i low0 = _mm_unpacklo_epi32(a[0], a[1]), low1 = _mm_unpacklo_epi32(a[2], a[3]);
  const __m128i high0 = _mm_unpackhi_epi32(a[0], a[1]), high1 = _mm_unpackhi_epi32(a[2], a[3]);
  store(out, _mm_unpacklo_epi64(low0, low1));
  store(out + n, _mm_unpackhi_epi64(low0, low1));
  store(out + 2 * n, _mm_unpacklo_epi64(high0, high1));
  store(out + 3 * n, _mm_unpackhi_epi64(high0, high1));
}

}  // namespace

void split_into_byte_planes(std::span<const std::byte> chunk, std::size_t element_size,
                            std::span<std::uint8_t> out) {
  const std::size_t n = chunk.size() / element_size;
  std::size_t done = 0;
  if (element_size == 8 || element_size == 4) {
    const auto split = element_size == 8 ? split_sixteen_of_8 : split_sixteen_of_4;
    for (; done + 16 <= n; done += 16) {
      split(chunk.data() + done * element_size, n, out.data() + done);
    }
  }
  for (std::size_t b = 0; b < element_size; ++b) {
    for (std::size_t i = done; i < n; ++i) {
      out[b * n + i] = static_cast<std::uint8_t>(chunk[i * element_size + b]);
    }
  }
}

}  // namespace skiff
