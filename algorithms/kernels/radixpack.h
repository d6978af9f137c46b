// Streams of codes 0..n-1 packed as digits of numbers to the base n: what bitpack is for powers of
// two.
//
// A word of 16 bytes, little-endian, holds the most digits k whose n^k fits in 128 bits, the first
// code being the lowest digit (19 codes for n = 88: 6.74 bits a code, log2 88 = 6.46); what is left
// over at the end stands in as few bytes as its greatest value needs. Thread-safe.
// Cost: one division by n a code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff::kernels {

// Bytes of `count` codes below n; 2 <= n <= 65536.
std::size_t radix_bytes(std::size_t count, int n) noexcept;

// out: exactly radix_bytes(codes.size(), n) bytes are written. Codes must be below n.
void pack_radix(std::span<std::uint8_t> out, std::span<const std::uint16_t> codes, int n) noexcept;
// Any bytes give codes below n.
void unpack_radix(std::span<std::uint16_t> codes, std::span<const std::uint8_t> packed,
                  int n) noexcept;

}  // namespace skiff::kernels
