#include "sim/core/sha256.h"

#include <cpuid.h>
#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace skiff {
namespace {

alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian(const std::byte* p) {
  std::uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return __builtin_bswap32(word);
}

void compress_plain(std::uint32_t* state, const std::byte* data, std::size_t blocks) {
  for (; blocks > 0; --blocks, data += 64) {
    std::uint32_t w[64];
    for (int i = 0; i < 16; ++i) w[i] = big_endian(data + 4 * i);
    for (int i = 16; i < 64; ++i) {
      const std::uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
    }
    // The eight words of the state turn by one place a round: word k of round j is s[(k - j) & 7].
    std::uint32_t s[8];
    std::copy_n(state, 8, s);
    for (int i = 0; i < 64; i += 8) {
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) {
        const auto at = [&](int k) -> std::uint32_t& { return s[(k - j) & 7]; };
        const std::uint32_t a = at(0), e = at(4);
        const std::uint32_t t1 = at(7) + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                 ((e & at(5)) ^ (~e & at(6))) + kRound[i + j] + w[i + j];
        const std::uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                                 ((a & at(1)) ^ (a & at(2)) ^ (at(1) & at(2)));
        at(3) += t1;
        at(7) = t1 + t2;
      }
    }
    for (int i = 0; i < 8; ++i) state[i] += s[i];
  }
}

// The instructions work on the halves (A, B, E, F) and (C, D, G, H) of the state. They wait for
// each other more than they work: N independent streams side by side take hardly longer than one.
template <int N>
__attribute__((target("sha,sse4.1"))) void compress_native(
    const std::array<std::uint32_t*, N>& states, std::array<const std::byte*, N> data,
    std::size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef[N], cdgh[N];
  for (int n = 0; n < N; ++n) {
    const auto* state = reinterpret_cast<const __m128i*>(states[n]);
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1b);
    abef[n] = _mm_alignr_epi8(badc, efgh, 8);
    cdgh[n] = _mm_blend_epi16(efgh, badc, 0xf0);
  }
  for (; blocks > 0; --blocks) {
    __m128i abef_before[N], cdgh_before[N], w[N][4];
    for (int n = 0; n < N; ++n) {
      abef_before[n] = abef[n];
      cdgh_before[n] = cdgh[n];
      const auto* block = reinterpret_cast<const __m128i*>(data[n]);
      for (int i = 0; i < 4; ++i) w[n][i] = _mm_shuffle_epi8(_mm_loadu_si128(block + i), swap);
      data[n] += 64;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {  // four rounds each
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + i);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) {
        const __m128i sum = _mm_add_epi32(w[n][i % 4], constants);
        cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], sum);
        abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32(sum, 0x0e));
        if (i >= 12) continue;  // the message schedule, four words ahead
        const __m128i last = w[n][(i + 3) % 4];
        const __m128i ahead = _mm_add_epi32(_mm_sha256msg1_epu32(w[n][i % 4], w[n][(i + 1) % 4]),
                                            _mm_alignr_epi8(last, w[n][(i + 2) % 4], 4));
        w[n][i % 4] = _mm_sha256msg2_epu32(ahead, last);
      }
    }
    for (int n = 0; n < N; ++n) {
      abef[n] = _mm_add_epi32(abef[n], abef_before[n]);
      cdgh[n] = _mm_add_epi32(cdgh[n], cdgh_before[n]);
    }
  }
  for (int n = 0; n < N; ++n) {
    auto* state = reinterpret_cast<__m128i*>(states[n]);
    const __m128i feba = _mm_shuffle_epi32(abef[n], 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[n], 0xb1);
    _mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

bool native() {
  static const bool has = has_sha_instructions();
  return has;
}

void compress(std::uint32_t* state, const std::byte* data, std::size_t blocks) {
  if (native()) {
    compress_native<1>({state}, {data}, blocks);
  } else {
    compress_plain(state, data, blocks);
  }
}

}  // namespace

void Sha256::update(std::span<const std::byte> bytes) {
  const std::size_t held = length_ % kBlock;
  length_ += bytes.size();
  if (held > 0) {
    const std::size_t taken = std::min(kBlock - held, bytes.size());
    std::copy_n(bytes.begin(), taken, partial_.begin() + static_cast<std::ptrdiff_t>(held));
    if (held + taken < kBlock) return;
    compress(state_.data(), partial_.data(), 1);
    bytes = bytes.subspan(taken);
  }
  compress(state_.data(), bytes.data(), bytes.size() / kBlock);
  bytes = bytes.subspan(bytes.size() / kBlock * kBlock);
  std::copy(bytes.begin(), bytes.end(), partial_.begin());
}

void Sha256::update_both(Sha256& a, std::span<const std::byte> bytes_a, Sha256& b,
                         std::span<const std::byte> bytes_b) {
  const std::size_t blocks = std::min(bytes_a.size(), bytes_b.size()) / kBlock;
  if (native() && a.length_ % kBlock == 0 && b.length_ % kBlock == 0) {
    compress_native<2>({a.state_.data(), b.state_.data()}, {bytes_a.data(), bytes_b.data()},
                       blocks);
    a.length_ += blocks * kBlock;
    b.length_ += blocks * kBlock;
    bytes_a = bytes_a.subspan(blocks * kBlock);
    bytes_b = bytes_b.subspan(blocks * kBlock);
  }
  a.update(bytes_a);
  b.update(bytes_b);
}

std::string Sha256::hex() const {
  std::array<std::byte, 2 * kBlock> tail{};
  const std::size_t held = length_ % kBlock;
  std::copy_n(partial_.begin(), held, tail.begin());
  tail[held] = std::byte{0x80};
  const std::size_t size = held < kBlock - 8 ? kBlock : 2 * kBlock;
  const std::uint64_t bits = __builtin_bswap64(length_ * 8);
  std::memcpy(tail.data() + size - 8, &bits, 8);
  auto state = state_;
  compress(state.data(), tail.data(), size / kBlock);
  std::string text;
  for (const std::uint32_t word : state) text += fmt::format("{:08x}", word);
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 sha;
  sha.update(text);
  return sha.hex();
}

}  // namespace skiff
