// Length-limited canonical Huffman codes as deflate (RFC 1951, 3.2.2) wants them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace skiff {

struct HuffmanCode {
  std::vector<std::uint8_t> lengths;  // 0: the symbol does not occur
  std::vector<std::uint16_t> codes;   // bits reversed: the first one sent is the lowest
};

// A code for symbols of these frequencies with no word longer than `limit` bits. At least two
// symbols get a word, as some readers expect.
HuffmanCode huffman_code(std::span<const std::uint32_t> frequencies, int limit);

// The code of these lengths.
HuffmanCode canonical_code(std::span<const std::uint8_t> lengths);

}  // namespace skiff
