#include "algorithms/kernels/four_bits.h"

#include <algorithm>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using simd::F8;

constexpr float kLast = 15;
constexpr std::size_t kStep = 16;   // values at once: 8 bytes of codes
constexpr std::size_t kGroup = 16;  // buckets whose ranges are sought before any is coded

int code_of(float x, float least, float inverse) noexcept {
  const float place = simd::greatest((x - least) * inverse + 0.5F, 0.0F);
  return static_cast<int>(simd::least(place, kLast));
}

int code_at(const std::uint8_t* codes, std::size_t i) noexcept {
  return i % 2 == 0 ? codes[i / 2] >> 4 : codes[i / 2] & 15;
}

void put(std::uint8_t* codes, std::size_t i, int code) noexcept {
  std::uint8_t& byte = codes[i / 2];
  byte = static_cast<std::uint8_t>(i % 2 == 0 ? (byte & 15) | code << 4 : (byte & 240) | code);
}

struct Grid {
  float least, width;
  float unit() const noexcept { return width / kLast; }
  float inverse() const noexcept { return width > 0 ? kLast / width : 0; }
};
Grid grid_of(const std::uint16_t* range) noexcept {
  const float least = from_bfloat16(range[0]);
  return {least, from_bfloat16(range[1]) - least};
}

float value_of(int code, Grid grid) noexcept {
  return std::fma(static_cast<float>(code), grid.unit(), grid.least);
}

// 16 codes, in order, of 8 bytes.
__m128i unpacked(const std::uint8_t* codes) noexcept {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
  const __m128i half = _mm_set1_epi8(15);
  const __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
  return _mm_unpacklo_epi8(upper, _mm_and_si128(bytes, half));
}

// 8 bytes of two times 8 codes.
void pack(std::uint8_t* codes, __m256i a, __m256i b) noexcept {
  const __m256i words = _mm256_packs_epi32(a, b);  // 4 of a, 4 of b, in each half
  const __m256i bytes = _mm256_packus_epi16(words, words);
  const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi16(0x0110));
  const __m256i packed = _mm256_packus_epi16(pairs, pairs);
  const __m128i both =
      _mm_unpacklo_epi16(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(codes), both);
}

struct Range {
  float least, greatest;
};

// least and greatest of the lanes of a and of b.
Range across(F8 a, F8 b) noexcept {
  __m128 low = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  __m128 high = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  low = _mm_min_ps(low, _mm_movehl_ps(low, low));
  high = _mm_max_ps(high, _mm_movehl_ps(high, high));
  return {_mm_cvtss_f32(_mm_min_ps(low, _mm_movehdup_ps(low))),
          _mm_cvtss_f32(_mm_max_ps(high, _mm_movehdup_ps(high)))};
}

// Lanes are sums of squares, added up in an order that nothing changes.
struct Squares {
  __m256d given = _mm256_setzero_pd(), lost = _mm256_setzero_pd();

  static __m256d doubles(F8 v) noexcept {
    return _mm256_cvtps_pd(_mm256_castps256_ps128(v)) +
           _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
  }
  void add(F8 of_given, F8 of_lost) noexcept {
    given += doubles(of_given), lost += doubles(of_lost);
  }
  void add(float x, float left) noexcept { add(F8{x * x}, F8{left * left}); }
  TakenSquares total() const noexcept {
    return {(given[0] + given[1]) + (given[2] + given[3]),
            (lost[0] + lost[1]) + (lost[2] + lost[3])};
  }
};

Range range_of(std::span<const float> x) noexcept {
  Range range{x[0], x[0]};
  std::size_t i = 0;
  if (x.size() >= 8) {
    F8 low = simd::load8(x.data()), high = low;
    for (i = 8; i + 8 <= x.size(); i += 8) {
      const F8 v = simd::load8(x.data() + i);
      low = simd::least(v, low), high = simd::greatest(v, high);
    }
    range = across(low, high);
  }
  for (; i < x.size(); ++i) {
    range.least = simd::least(x[i], range.least);
    range.greatest = simd::greatest(x[i], range.greatest);
  }
  return {range.least + 0.0F, range.greatest + 0.0F};  // zeros count as +0
}

// Of one bucket, the first value of which is number `first` of the codes.
void add_bucket(std::span<float> out, const float* x, const std::uint8_t* codes, std::size_t first,
                Grid grid) noexcept {
  const auto one = [&](std::size_t i) {
    out[i] = x[i] + value_of(code_at(codes, first + i), grid);
  };
  std::size_t i = 0;
  if (first % 2 != 0) one(i++);
  const F8 low = simd::set8(grid.least), step = simd::set8(grid.unit());
  for (; i + kStep <= out.size(); i += kStep) {
    const __m128i sixteen = unpacked(codes + (first + i) / 2);
    const F8 a = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(sixteen));
    const F8 b = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(sixteen, sixteen)));
    simd::store(out.data() + i, simd::load8(x + i) + simd::fma(a, step, low));
    simd::store(out.data() + i + 8, simd::load8(x + i + 8) + simd::fma(b, step, low));
  }
  for (; i < out.size(); ++i) one(i);
}

void take_bucket(std::uint8_t* codes, std::span<const float> x, std::size_t first, Grid grid,
                 Squares& squares) noexcept {
  const float inverse = grid.inverse();
  const auto one = [&](std::size_t i) {
    const int code = code_of(x[i], grid.least, inverse);
    put(codes, first + i, code);
    squares.add(x[i], x[i] - value_of(code, grid));
  };
  std::size_t i = 0;
  if (first % 2 != 0) one(i++);
  const F8 low = simd::set8(grid.least), step = simd::set8(grid.unit()), to = simd::set8(inverse);
  F8 given{}, lost{};
  const auto coded = [&](F8 v) {
    const F8 place = simd::greatest((v - low) * to + simd::set8(0.5F), simd::set8(0));
    const __m256i code = _mm256_cvttps_epi32(simd::least(place, simd::set8(kLast)));
    const F8 left = v - simd::fma(F8(_mm256_cvtepi32_ps(code)), step, low);
    given = simd::fma(v, v, given), lost = simd::fma(left, left, lost);
    return code;
  };
  for (; i + kStep <= x.size(); i += kStep) {
    const __m256i a = coded(simd::load8(x.data() + i)), b = coded(simd::load8(x.data() + i + 8));
    pack(codes + (first + i) / 2, a, b);
  }
  for (; i < x.size(); ++i) one(i);
  squares.add(given, lost);
}

// body(values of a bucket, number of the first, number of the bucket)
template <class T, class Body>
void each_bucket(std::span<T> x, std::size_t first, std::size_t bucket, Body body) {
  for (std::size_t at = 0, b = first / bucket; at < x.size(); at += bucket, ++b) {
    body(x.subspan(at, std::min(bucket, x.size() - at)), first + at, b);
  }
}

}  // namespace

void add_four_bits(std::span<float> out, const float* x, const FourBits& kept,
                   std::size_t first) noexcept {
  each_bucket(out, first, kept.bucket, [&](std::span<float> v, std::size_t at, std::size_t b) {
    add_bucket(v, x + (at - first), kept.codes, at, grid_of(kept.ranges + 2 * b));
  });
}

TakenSquares take_four_bits(const FourBits& kept, std::span<const float> x,
                            std::size_t first) noexcept {
  Squares squares;
  const std::size_t group = kGroup * kept.bucket;
  for (std::size_t begin = 0; begin < x.size(); begin += group) {
    const std::span<const float> some = x.subspan(begin, std::min(group, x.size() - begin));
    const auto each = [&](auto body) { each_bucket(some, first + begin, kept.bucket, body); };
    each([&](std::span<const float> v, std::size_t, std::size_t b) {
      const Range range = range_of(v);
      kept.ranges[2 * b] = to_bfloat16(range.least);
      kept.ranges[2 * b + 1] = to_bfloat16(range.greatest);
    });
    each([&](std::span<const float> v, std::size_t at, std::size_t b) {
      take_bucket(kept.codes, v, at, grid_of(kept.ranges + 2 * b), squares);
    });
  }
  return squares.total();
}

}  // namespace skiff::kernels
