// What the wire formats of this folder share: fixed-width fields as a bit stream, float arrays, and
// the checks that a payload is one that encode can have made.
//
// Everything is little-endian; a bit stream fills each byte from its lowest bit, and its last byte
// is padded with zeros. No format has a header: the receiver knows the layout and the codec's
// parameters, from which every length follows.
// `codec` in the checks is the codec's registered name, for messages. Thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "algorithms/kernels/reduce.h"
#include "algorithms/payload.h"
#include "sim/core/error.h"

namespace skiff::wire {

static_assert(std::endian::native == std::endian::little, "payloads are copied as they lie");

// ceil(log2(count)): bits that tell `count` things apart.
constexpr int bits_for(std::uint64_t count) {
  return count <= 1 ? 0 : static_cast<int>(std::bit_width(count - 1));
}
constexpr std::size_t bytes_for_bits(std::uint64_t bits) {
  return static_cast<std::size_t>((bits + 7) / 8);
}

// Fields of 0..32 bits, one after the other.
class BitWriter {
 public:
  explicit BitWriter(std::byte* out) : out_(out) {}
  void put(std::uint32_t value, int bits) {
    pending_ |= static_cast<std::uint64_t>(value) << count_;
    count_ += bits;
    if (count_ >= 32) {
      std::memcpy(out_, &pending_, 4);
      out_ += 4;
      pending_ >>= 32;
      count_ -= 32;
    }
  }
  // Writes the last, padded bytes.
  void finish() { std::memcpy(out_, &pending_, bytes_for_bits(static_cast<unsigned>(count_))); }

 private:
  std::byte* out_;
  std::uint64_t pending_ = 0;
  int count_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> in) : in_(in) {}
  // Zeros beyond the end.
  std::uint32_t get(int bits) {
    if (count_ < bits) {
      std::uint32_t word = 0;
      const std::size_t n = in_.size() < 4 ? in_.size() : 4;
      if (n == 4) {
        std::memcpy(&word, in_.data(), 4);
      } else if (n > 0) {
        std::memcpy(&word, in_.data(), n);
      }
      in_ = in_.subspan(n);
      pending_ |= static_cast<std::uint64_t>(word) << count_;
      count_ += 32;
    }
    const auto value = static_cast<std::uint32_t>(pending_ & ((std::uint64_t{1} << bits) - 1));
    pending_ >>= bits;
    count_ -= bits;
    return value;
  }
  // Whether all that was not read is zero padding.
  bool only_padding_left() const { return in_.empty() && pending_ == 0; }

 private:
  std::span<const std::byte> in_;
  std::uint64_t pending_ = 0;
  int count_ = 0;
};

// Values on their way into a codec. The caller sorts out updates that are not finite: here it is a
// bug, and nothing beyond this check is promised of them.
inline void check_finite(const char* codec, std::span<const float> values) {
  SKIFF_CHECK(kernels::all_finite(values), std::string(codec) + " encodes finite numbers only");
}

[[noreturn]] void refuse(const char* codec, const std::string& message);  // DataError
[[noreturn]] void refuse_not_finite(const char* codec);
void expect_size(const char* codec, const Payload& payload, std::size_t bytes);
inline void expect_finite(const char* codec, std::span<const float> values) {
  if (!kernels::all_finite(values)) refuse_not_finite(codec);
}

// The float32 array that starts at byte `offset`; the size was checked before.
inline void read_floats(const Payload& payload, std::size_t offset, std::span<float> out) {
  if (!out.empty()) std::memcpy(out.data(), payload.bytes.data() + offset, out.size_bytes());
}
inline void write_floats(Payload& payload, std::size_t offset, std::span<const float> in) {
  if (!in.empty()) std::memcpy(payload.bytes.data() + offset, in.data(), in.size_bytes());
}

}  // namespace skiff::wire
