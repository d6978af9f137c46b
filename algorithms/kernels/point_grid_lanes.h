// Internal: the parts of point_grid.cpp that work on eight lanes at once. Every comparison is the
// same as one by one: no rounding depends on the path.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels::lanes {

using simd::F8;
using simd::I8;

// p = 2
inline constexpr int kCells = 64;       // a side
inline constexpr float kReach = 4;      // of the cells proper
inline constexpr float kFar = 8;        // of the border cells
inline constexpr float kWiden = 1e-5F;  // of a cell, for the rounding of its own edges
inline constexpr float kMargin = 1e-4F;

// The cells of four pairs, and whether all of them are within reach of the table.
struct PlaneCells {
  std::uint32_t cell[4];
  bool near;
};

inline PlaneCells plane_cells(F8 v) noexcept {
  const F8 scaled = (v + simd::set8(kReach)) * simd::set8(kCells / (2 * kReach));
  const F8 clamped = simd::least(simd::greatest(scaled, simd::set8(0)), simd::set8(kCells - 1));
  const __m256i place = _mm256_cvttps_epi32(clamped);  // x in the even lanes, y in the odd ones
  const __m256i cell = _mm256_add_epi32(_mm256_slli_epi64(place, 6), _mm256_srli_epi64(place, 32));
  static_assert(kCells == 1 << 6, "a shift by another number");
  const I8 lanes = reinterpret_cast<I8>(cell);
  const F8 size = simd::from_bits(simd::bits(v) & std::numeric_limits<std::int32_t>::max());
  PlaneCells found;
  for (int k = 0; k < 4; ++k) found.cell[k] = static_cast<std::uint32_t>(lanes[2 * k]);
  found.near = _mm256_movemask_ps(F8(size < simd::set8(kFar))) == 0xff;
  return found;
}

// d[k], even lanes: distances of pair k to its four candidates. Sixteen times the number of the
// nearest one of each pair, in the first four lanes.
inline I8 nearest_of_four(const F8 (&d)[4]) noexcept {
  const F8 first = _mm256_shuffle_ps(d[0], d[1], 0x88),
           second = _mm256_shuffle_ps(d[2], d[3], 0x88);
  const F8 even = _mm256_shuffle_ps(first, second, 0x88);  // candidates 0 below, 2 above
  const F8 odd = _mm256_shuffle_ps(first, second, 0xdd);   // 1 below, 3 above
  const I8 later = odd < even;
  const F8 least = simd::least(odd, even);
  const F8 upper = _mm256_permute2f128_ps(least, least, 0x01);
  const I8 which = later & 16;
  const I8 which_upper =
      reinterpret_cast<I8>(_mm256_permute2f128_si256(reinterpret_cast<__m256i>(which),
                                                     reinterpret_cast<__m256i>(which), 0x01)) +
      32;
  const I8 above = upper < least;
  return (which & ~above) | (which_upper & above);
}

// Sixteen points, x[0..n), n a multiple of 8: four halvings over the fifteen midpoints, which are
// in `middle`, infinities after the last.
inline void nearest_of_sixteen(std::uint16_t* codes, const float* x, std::size_t n,
                               const float* middle) noexcept {
  const F8 fourth{middle[1], middle[5], middle[9], middle[13], 0, 0, 0, 0};
  const F8 second{middle[0], middle[2],  middle[4],  middle[6],
                  middle[8], middle[10], middle[12], middle[14]};
  const F8 half = simd::set8(middle[7]), below = simd::set8(middle[3]),
           above = simd::set8(middle[11]);
  for (std::size_t i = 0; i < n; i += 8) {
    const F8 v = simd::load8(x + i);
    const I8 upper = v > half;
    I8 k = (upper & 8) + ((v > F8(_mm256_blendv_ps(below, above, F8(upper)))) & 4);
    k += (v > F8(_mm256_permutevar8x32_ps(fourth, reinterpret_cast<__m256i>(k >> 2)))) & 2;
    k += (v > F8(_mm256_permutevar8x32_ps(second, reinterpret_cast<__m256i>(k >> 1)))) & 1;
    const __m256i wide = reinterpret_cast<__m256i>(k);
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes + i), packed);
  }
}

// Up to sixteen points as two registers; the code's upper bit says which.
inline void values_of_sixteen(float* x, const std::uint16_t* codes, std::size_t n,
                              std::span<const float> points) noexcept {
  float table[16] = {};
  std::copy(points.begin(), points.end(), table);
  const F8 low = simd::load8(table), high = simd::load8(table + 8);
  for (std::size_t i = 0; i < n; i += 8) {
    const __m256i code =
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i)));
    simd::store(x + i, F8(_mm256_blendv_ps(_mm256_permutevar8x32_ps(low, code),
                                           _mm256_permutevar8x32_ps(high, code),
                                           _mm256_castsi256_ps(_mm256_slli_epi32(code, 28)))));
  }
}

}  // namespace skiff::kernels::lanes
