#include "sim/record/chunk_deflate.h"

#include <algorithm>
#include <array>
#include <bit>

#include "sim/record/byte_planes.h"
#include "sim/record/huffman.h"

namespace skiff {
namespace {

constexpr std::size_t kSample = 512;         // bytes that tell noise from text
constexpr std::size_t kNoiseDistinct = 128;  // values in the sample: not worth coding
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

// How many bytes from `at` on equal `value`, up to `limit`.
std::size_t run_length(const std::uint8_t* at, std::size_t limit, std::uint8_t value) {
  const std::uint64_t pattern = value * 0x0101010101010101u;
  std::size_t n = 0;
  for (; n + 8 <= limit; n += 8) {
    std::uint64_t word;
    std::memcpy(&word, at + n, 8);
    if (word != pattern) return n + static_cast<std::size_t>(std::countr_zero(word ^ pattern)) / 8;
  }
  while (n < limit && at[n] == value) ++n;
  return n;
}

using Frequencies = std::array<std::uint32_t, 286>;

// Lengths of words as deflate sends them: 0..15 themselves, 17 and 18 for runs of zeros with 3 and
// 7 more bits.
struct LengthSymbol {
  std::uint8_t symbol, extra_bits, extra;
};

std::size_t length_symbols(std::span<const std::uint8_t> lengths, std::span<LengthSymbol> out) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < lengths.size();) {
    if (lengths[i] != 0) {
      out[count++] = {lengths[i++], 0, 0};
      continue;
    }
    const std::size_t zeros =
        run_length(lengths.data() + i, std::min<std::size_t>(138, lengths.size() - i), 0);
    if (zeros >= 11) {
      out[count++] = {18, 7, static_cast<std::uint8_t>(zeros - 11)};
    } else if (zeros >= 3) {
      out[count++] = {17, 3, static_cast<std::uint8_t>(zeros - 3)};
    } else {
      for (std::size_t z = 0; z < zeros; ++z) out[count++] = {0, 0, 0};
    }
    i += zeros;
  }
  return count;
}

// Begins a block with its own code, and gives that.
HuffmanCode put_code(const Frequencies& frequency, BitWriter& writer) {
  const HuffmanCode code = huffman_code(frequency, 15);
  std::array<LengthSymbol, std::tuple_size_v<Frequencies> + 2> symbols;
  std::size_t count = length_symbols(std::span(code.lengths).first(frequency.size()), symbols);
  // Two distance codes, of which runs use the first.
  for (int i = 0; i < 2; ++i) symbols[count++] = {1, 0, 0};
  std::array<std::uint32_t, 19> uses{};
  for (std::size_t i = 0; i < count; ++i) ++uses[symbols[i].symbol];
  const HuffmanCode lengths_code = huffman_code(uses, 7);
  writer.put(0b100, 3);
  writer.put(frequency.size() - 257, 5);
  writer.put(2 - 1, 5);
  writer.put(19 - 4, 4);
  for (const std::uint8_t s : kLengthOrder) writer.put(lengths_code.lengths[s], 3);
  for (std::size_t i = 0; i < count; ++i) {
    const LengthSymbol s = symbols[i];
    writer.put(lengths_code.words[s.symbol], lengths_code.lengths[s.symbol]);
    writer.put(s.extra, s.extra_bits);
  }
  return code;
}

}  // namespace

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
  const auto symbol = [&](std::size_t s) { writer_.put(fixed.words[s], fixed.lengths[s]); };
  writer_.put(0b010, 3);
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
    writer_.put(run - kLengthBase[s], kLengthExtra[s]);
    writer_.put(0, 5);  // distance 1
    left -= run;
  }
  symbol(kEndOfBlock);
}

void ChunkDeflate::put_stored(std::span<const std::uint8_t> plane) {
  writer_.put(0b000, 3);
  writer_.align();
  writer_.put(plane.size(), 16);
  writer_.put(~plane.size() & 0xffff, 16);
  writer_.put_bytes(plane);
}

// The plane as values and runs, closed by the end of the block; how many of them.
std::size_t ChunkDeflate::tokenise(std::span<const std::uint8_t> plane,
                                   std::span<std::uint32_t> frequency) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < plane.size();) {
    const std::uint8_t value = plane[i++];
    tokens_[count++] = value;
    ++frequency[value];
    if (i + kShortestMatch > plane.size() || plane[i] != value || plane[i + 1] != value) continue;
    const std::size_t run =
        run_length(plane.data() + i, std::min(kLongestMatch, plane.size() - i), value);
    if (run < kShortestMatch) continue;
    tokens_[count++] = static_cast<std::uint16_t>(kRunToken | run);
    ++frequency[257 + length_symbol(run)];
    i += run;
  }
  tokens_[count++] = kEndOfBlock;
  ++frequency[kEndOfBlock];
  return count;
}

void ChunkDeflate::put_values_and_runs(std::span<const std::uint8_t> plane) {
  Frequencies frequency{};
  const std::size_t count = tokenise(plane, frequency);
  BitWriter writer = writer_;
  const HuffmanCode code = put_code(frequency, writer);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t token = tokens_[i];
    if ((token & kRunToken) == 0) {
      writer.put(code.words[token], code.lengths[token]);
      continue;
    }
    const std::size_t run = token & ~kRunToken, s = length_symbol(run);
    writer.put(code.words[257 + s], code.lengths[257 + s]);
    // The extra bits, then the word for distance 1, a zero.
    writer.put(run - kLengthBase[s], kLengthExtra[s] + 1);
  }
  writer_ = writer;
}

void ChunkDeflate::put_values(std::span<const std::uint8_t> plane) {
  Frequencies frequency{}, second{};  // two, so that equal neighbours do not wait for each other
  std::size_t i = 0;
  for (; i + 2 <= plane.size(); i += 2) {
    ++frequency[plane[i]];
    ++second[plane[i + 1]];
  }
  if (i < plane.size()) ++frequency[plane[i]];
  for (std::size_t v = 0; v < 256; ++v) frequency[v] += second[v];
  frequency[kEndOfBlock] = 1;

  BitWriter writer = writer_;
  const HuffmanCode code = put_code(frequency, writer);
  std::array<std::uint32_t, 256> words;  // length above the word
  for (std::size_t v = 0; v < 256; ++v) words[v] = code.words[v] | code.lengths[v] << 16;
  for (i = 0; i + 3 <= plane.size(); i += 3) {
    const std::uint32_t a = words[plane[i]], b = words[plane[i + 1]], c = words[plane[i + 2]];
    const std::uint64_t bits = (a & 0xffff) | static_cast<std::uint64_t>(b & 0xffff) << (a >> 16) |
                               static_cast<std::uint64_t>(c & 0xffff) << ((a >> 16) + (b >> 16));
    writer.put(bits, static_cast<int>((a >> 16) + (b >> 16) + (c >> 16)));
  }
  for (; i < plane.size(); ++i) writer.put(code.words[plane[i]], code.lengths[plane[i]]);
  writer.put(code.words[kEndOfBlock], code.lengths[kEndOfBlock]);
  writer_ = writer;
}

void ChunkDeflate::put_plane(std::span<const std::uint8_t> plane) {
  std::size_t alike = 0;  // bytes that equal the one before
  for (std::size_t i = 1; i < plane.size(); ++i) alike += plane[i] == plane[i - 1];
  if (10 * alike > 8 * plane.size()) {
    put_values_and_runs(plane);
  } else if (is_noise(plane)) {
    put_stored(plane);
  } else {
    put_values(plane);
  }
}

std::span<const std::byte> ChunkDeflate::encode(std::span<const std::byte> chunk,
                                                std::size_t element_size) {
  planes_.resize(chunk.size());
  split_into_byte_planes(chunk, element_size, planes_);
  tokens_.resize(chunk.size() / element_size + 1);
  out_.resize(2 * chunk.size() + 256 * element_size + 64);  // words of 15 bits, and headers
  writer_ = BitWriter(out_.data());
  writer_.put(0x0178, 16);
  Adler adler;
  const std::size_t n = chunk.size() / element_size;
  for (std::size_t p = 0; p < element_size; ++p) {
    const std::span<const std::uint8_t> plane(planes_.data() + p * n, n);
    if (is_constant(plane)) {
      put_run(plane[0], n);
      adler.add_run(plane[0], n);
    } else {
      put_plane(plane);
      adler.add(plane);
    }
  }
  writer_.put(0b011, 3);  // the last block, in the fixed code, empty
  writer_.put(0, 7);
  writer_.align();
  writer_.put(__builtin_bswap32(adler.value()), 32);
  return {out_.data(), writer_.end()};
}

}  // namespace skiff
