#include "sim/record/chunk_deflate.h"

#include <algorithm>
#include <cstring>

#include "sim/record/huffman.h"

namespace skiff {
namespace {

constexpr std::size_t kSample = 512;         // bytes that tell noise from text
constexpr std::size_t kNoiseDistinct = 200;  // of 256 values in the sample: not worth coding
constexpr std::size_t kLongestMatch = 258;
constexpr std::size_t kShortestMatch = 4;  // deflate allows 3; a shorter one rarely pays
constexpr std::uint16_t kEndOfBlock = 256;
constexpr std::uint16_t kRunToken = 0x8000;  // | length: a run of the byte before

constexpr std::array<std::uint16_t, 29> kLengthBase{3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                    15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                    67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<std::uint8_t, 29> kLengthExtra{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                    2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
// The order in which deflate sends the lengths of the code for code lengths.
constexpr std::array<std::uint8_t, 19> kLengthOrder{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                    11, 4,  12, 3, 13, 2, 14, 1, 15};

std::size_t length_symbol(std::size_t length) {
  if (length == kLongestMatch) return 28;
  const auto above = std::upper_bound(kLengthBase.begin(), kLengthBase.end() - 1, length);
  return static_cast<std::size_t>(above - kLengthBase.begin()) - 1;
}

// Adler-32 (RFC 1950, 8.2), carried over pieces of at most 5,552 bytes.
class Adler {
 public:
  void add(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), 4096));
      std::uint32_t sum = 0, weighted = 0;  // <= 255 * 4096 * 4097 / 2 < 2^32
      const auto n = static_cast<std::uint32_t>(piece.size());
      for (std::uint32_t i = 0; i < n; ++i) {
        sum += piece[i];
        weighted += (n - i) * piece[i];
      }
      add(sum, weighted, n);
      bytes = bytes.subspan(piece.size());
    }
  }
  void add_run(std::uint8_t value, std::uint64_t n) {
    add(value * n % kModulus, value * (n * (n + 1) / 2 % kModulus) % kModulus, n);
  }
  std::uint32_t value() const { return static_cast<std::uint32_t>(b_ << 16 | a_); }

 private:
  static constexpr std::uint64_t kModulus = 65521;
  void add(std::uint64_t sum, std::uint64_t weighted, std::uint64_t n) {
    b_ = (b_ + n % kModulus * a_ + weighted) % kModulus;
    a_ = (a_ + sum) % kModulus;
  }
  std::uint64_t a_ = 1, b_ = 0;
};

bool is_constant(std::span<const std::uint8_t> plane) {
  return std::memcmp(plane.data(), plane.data() + 1, plane.size() - 1) == 0;
}

bool is_noise(std::span<const std::uint8_t> plane) {
  if (plane.size() < kSample) return false;
  std::array<std::uint8_t, 256> seen{};
  const std::size_t step = plane.size() / kSample;
  for (std::size_t i = 0; i < kSample; ++i) seen[plane[i * step]] = 1;
  std::size_t distinct = 0;
  for (const std::uint8_t s : seen) distinct += s;
  return distinct >= kNoiseDistinct;
}

template <class Word>
void split_bytes(const std::byte* in, std::size_t n, std::uint8_t* out) {
  for (std::size_t i = 0; i < n; ++i) {
    Word word;
    std::memcpy(&word, in + i * sizeof(Word), sizeof(Word));
    for (std::size_t b = 0; b < sizeof(Word); ++b) {
      out[b * n + i] = static_cast<std::uint8_t>(word >> (8 * b));
    }
  }
}

}  // namespace

void ChunkDeflate::shuffle(std::span<const std::byte> chunk, std::size_t element_size) {
  planes_.resize(chunk.size());
  const std::size_t n = chunk.size() / element_size;
  switch (element_size) {
    case 8:
      return split_bytes<std::uint64_t>(chunk.data(), n, planes_.data());
    case 4:
      return split_bytes<std::uint32_t>(chunk.data(), n, planes_.data());
    case 2:
      return split_bytes<std::uint16_t>(chunk.data(), n, planes_.data());
    default:
      std::memcpy(planes_.data(), chunk.data(), chunk.size());
  }
}

void ChunkDeflate::put(std::uint32_t bits, int count) {
  held_ |= static_cast<std::uint64_t>(bits) << held_bits_;
  held_bits_ += count;
  if (held_bits_ < 32) return;
  const auto word = static_cast<std::uint32_t>(held_);
  const auto* bytes = reinterpret_cast<const std::byte*>(&word);
  out_.insert(out_.end(), bytes, bytes + 4);
  held_ >>= 32;
  held_bits_ -= 32;
}

void ChunkDeflate::align() {
  for (; held_bits_ > 0; held_bits_ -= 8, held_ >>= 8) {
    out_.push_back(static_cast<std::byte>(held_));
  }
  held_ = 0;
  held_bits_ = 0;
}

// A block in the fixed code: the value once, then matches at distance 1.
void ChunkDeflate::put_run(std::uint8_t value, std::size_t length) {
  static const HuffmanCode fixed = [] {
    std::array<std::uint8_t, 288> lengths;
    std::fill(lengths.begin(), lengths.begin() + 144, std::uint8_t{8});
    std::fill(lengths.begin() + 144, lengths.begin() + 256, std::uint8_t{9});
    std::fill(lengths.begin() + 256, lengths.begin() + 280, std::uint8_t{7});
    std::fill(lengths.begin() + 280, lengths.end(), std::uint8_t{8});
    return canonical_code(lengths);
  }();
  const auto symbol = [&](std::size_t s) { put(fixed.codes[s], fixed.lengths[s]); };
  put(0b010, 3);
  symbol(value);
  for (std::size_t left = length - 1; left > 0;) {
    if (left < kShortestMatch) {
      symbol(value);
      --left;
      continue;
    }
    const std::size_t run = std::min(left, kLongestMatch);
    const std::size_t s = length_symbol(run);
    symbol(257 + s);
    put(static_cast<std::uint32_t>(run - kLengthBase[s]), kLengthExtra[s]);
    put(0, 5);  // distance 1
    left -= run;
  }
  symbol(kEndOfBlock);
}

void ChunkDeflate::put_stored(std::span<const std::uint8_t> plane) {
  put(0b000, 3);
  align();
  const auto n = static_cast<std::uint32_t>(plane.size());
  put(n, 16);
  put(~n & 0xffff, 16);
  const auto* bytes = reinterpret_cast<const std::byte*>(plane.data());
  out_.insert(out_.end(), bytes, bytes + plane.size());
}

void ChunkDeflate::put_huffman(std::span<const std::uint8_t> plane) {
  std::array<std::uint32_t, 286> frequency{};
  tokens_.clear();
  for (std::size_t i = 0; i < plane.size();) {
    const std::uint8_t value = plane[i];
    tokens_.push_back(value);
    ++frequency[value];
    std::size_t end = ++i;
    while (end < plane.size() && plane[end] == value && end - i < kLongestMatch) ++end;
    if (end - i < kShortestMatch) continue;
    tokens_.push_back(static_cast<std::uint16_t>(kRunToken | (end - i)));
    ++frequency[257 + length_symbol(end - i)];
    i = end;
  }
  ++frequency[kEndOfBlock];
  const HuffmanCode code = huffman_code(frequency, 15);
  std::array<std::uint32_t, 19> uses{};
  for (const std::uint8_t length : code.lengths) ++uses[length];
  uses[1] += 2;  // the two distance codes
  const HuffmanCode lengths_code = huffman_code(uses, 7);

  put(0b100, 3);
  put(286 - 257, 5);
  put(2 - 1, 5);
  put(19 - 4, 4);
  for (const std::uint8_t s : kLengthOrder) put(lengths_code.lengths[s], 3);
  for (const std::uint8_t l : code.lengths) put(lengths_code.codes[l], lengths_code.lengths[l]);
  for (int i = 0; i < 2; ++i) put(lengths_code.codes[1], lengths_code.lengths[1]);
  for (const std::uint16_t token : tokens_) {
    if ((token & kRunToken) == 0) {
      put(code.codes[token], code.lengths[token]);
      continue;
    }
    const std::size_t run = token & ~kRunToken, s = length_symbol(run);
    put(code.codes[257 + s], code.lengths[257 + s]);
    put(static_cast<std::uint32_t>(run - kLengthBase[s]), kLengthExtra[s]);
    put(0, 1);  // distance 1
  }
  put(code.codes[kEndOfBlock], code.lengths[kEndOfBlock]);
}

std::span<const std::byte> ChunkDeflate::encode(std::span<const std::byte> chunk,
                                                std::size_t element_size) {
  shuffle(chunk, element_size);
  out_.assign({std::byte{0x78}, std::byte{0x01}});
  Adler adler;
  const std::size_t n = chunk.size() / element_size;
  for (std::size_t p = 0; p < element_size; ++p) {
    const std::span<const std::uint8_t> plane(planes_.data() + p * n, n);
    if (is_constant(plane)) {
      put_run(plane[0], n);
      adler.add_run(plane[0], n);
      continue;
    }
    adler.add(plane);
    if (is_noise(plane)) {
      put_stored(plane);
    } else {
      put_huffman(plane);
    }
  }
  put(0b011, 3);  // the last block, in the fixed code, empty
  put(0, 7);
  align();
  for (int shift = 24; shift >= 0; shift -= 8) {
    out_.push_back(static_cast<std::byte>(adler.value() >> shift));
  }
  return out_;
}

}  // namespace skiff
