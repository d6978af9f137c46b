#include "algorithms/kernels/bitpack.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace skiff::kernels {
namespace {

constexpr std::uint64_t low_bits(int bits) noexcept { return (std::uint64_t{1} << bits) - 1; }

template <class Code>
void pack_any(std::span<std::uint8_t> out, std::span<const Code> codes, int bits) noexcept {
  std::uint64_t buffer = 0;
  int filled = 0;
  std::uint8_t* to = out.data();
  for (const Code code : codes) {
    buffer |= (code & low_bits(bits)) << filled;  // at most 7 + 32 bits
    for (filled += bits; filled >= 8; filled -= 8) {
      *to++ = static_cast<std::uint8_t>(buffer);
      buffer >>= 8;
    }
  }
  if (filled > 0) *to = static_cast<std::uint8_t>(buffer);
}

template <class Code>
void unpack_any(std::span<Code> codes, std::span<const std::uint8_t> packed, int bits) noexcept {
  std::uint64_t buffer = 0;
  int filled = 0;
  const std::uint8_t* from = packed.data();
  for (Code& code : codes) {
    for (; filled < bits; filled += 8) buffer |= std::uint64_t{*from++} << filled;
    code = static_cast<Code>(buffer & low_bits(bits));
    buffer >>= bits;
    filled -= bits;
  }
}

// The low `bits` bits of each of 8 bytes.
std::uint64_t byte_mask(int bits) noexcept { return low_bits(bits) * 0x0101010101010101U; }

}  // namespace

// Eight codes of b bits are b bytes, so groups of eight start on byte boundaries.
void pack_bits(std::span<std::uint8_t> out, std::span<const std::uint8_t> codes,
               int bits) noexcept {
  const std::uint64_t mask = byte_mask(bits);
  const auto step = static_cast<std::size_t>(bits);
  const std::size_t total = packed_bytes(codes.size(), bits);
  std::size_t i = 0;
  std::size_t at = 0;
  for (; i + 8 <= codes.size(); i += 8, at += step) {
    std::uint64_t group;
    std::memcpy(&group, codes.data() + i, 8);
    const std::uint64_t packed = _pext_u64(group, mask);
    if (at + 8 <= total) {  // later groups overwrite what is too much
      std::memcpy(out.data() + at, &packed, 8);
    } else {
      std::memcpy(out.data() + at, &packed, step);
    }
  }
  pack_any(out.subspan(at), codes.subspan(i), bits);
}

void pack_bits(std::span<std::uint8_t> out, std::span<const std::uint16_t> codes,
               int bits) noexcept {
  pack_any(out, codes, bits);
}

void pack_bits(std::span<std::uint8_t> out, std::span<const std::uint32_t> codes,
               int bits) noexcept {
  pack_any(out, codes, bits);
}

void unpack_bits(std::span<std::uint8_t> codes, std::span<const std::uint8_t> packed,
                 int bits) noexcept {
  const std::uint64_t mask = byte_mask(bits);
  const auto step = static_cast<std::size_t>(bits);
  const std::size_t total = packed_bytes(codes.size(), bits);
  std::size_t i = 0;
  std::size_t at = 0;
  for (; i + 8 <= codes.size(); i += 8, at += step) {
    std::uint64_t group = 0;
    std::memcpy(&group, packed.data() + at, at + 8 <= total ? 8 : step);
    const std::uint64_t spread = _pdep_u64(group, mask);
    std::memcpy(codes.data() + i, &spread, 8);
  }
  unpack_any(codes.subspan(i), packed.subspan(at), bits);
}

void unpack_bits(std::span<std::uint16_t> codes, std::span<const std::uint8_t> packed,
                 int bits) noexcept {
  unpack_any(codes, packed, bits);
}

void unpack_bits(std::span<std::uint32_t> codes, std::span<const std::uint8_t> packed,
                 int bits) noexcept {
  unpack_any(codes, packed, bits);
}

}  // namespace skiff::kernels
