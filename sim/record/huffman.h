// Length-limited canonical Huffman codes as deflate (RFC 1951, 3.2.2) wants them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff {

inline constexpr std::size_t kMostSymbols = 288;

struct HuffmanCode {
  // Word of a symbol: its bits reversed (the first one sent is the lowest), and how many; 0 bits:
  // the symbol does not occur.
  std::array<std::uint16_t, kMostSymbols> words{};
  std::array<std::uint8_t, kMostSymbols> lengths{};
};

// A code for symbols of these frequencies with no word longer than `limit` bits. At least two
// symbols get a word, as some readers expect.
HuffmanCode huffman_code(std::span<const std::uint32_t> frequencies, int limit);

// The code of these lengths.
HuffmanCode canonical_code(std::span<const std::uint8_t> lengths);

}  // namespace skiff
