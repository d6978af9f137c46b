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
// The tail of a payload as the octets that bit streams are made of.
inline std::span<std::uint8_t> octets(Payload& payload, std::size_t offset) {
  return {reinterpret_cast<std::uint8_t*>(payload.bytes.data()) + offset,
          payload.bytes.size() - offset};
}
inline std::span<const std::uint8_t> octets(const Payload& payload, std::size_t offset) {
  return {reinterpret_cast<const std::uint8_t*>(payload.bytes.data()) + offset,
          payload.bytes.size() - offset};
}

// Values on their way into a codec. The caller sorts out updates that are not finite: here it is a
// bug, and nothing beyond this check is promised of them.
inline void check_finite(const char* codec, std::span<const float> values) {
  SKIFF_CHECK(kernels::all_finite(values), std::string(codec) + " encodes finite numbers only");
}

[[noreturn]] void refuse(const char* codec, const std::string& message);  // DataError
[[noreturn]] void refuse_not_finite(const char* codec);
// The stream ends after `bits` bits; what pads its last byte must be zero.
inline void expect_zero_padding(const char* codec, std::span<const std::uint8_t> stream,
                                std::uint64_t bits) {
  const auto used = static_cast<int>(bits % 8);
  if (used != 0 && stream.back() >> used != 0) refuse(codec, "its padding is not zero");
}
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
