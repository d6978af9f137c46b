// k entries of a vector drawn at random without replacement, named on the wire by a seed alone:
// what random-k, DIANA and MARINA send.
//
// Wire format: the 64-bit seed of the draw, then k float32 in the order of their indices,
// little-endian. Both ends draw the entries from the seed by Floyd's algorithm (Bentley and Floyd
// 1987, CACM 30:9), so no index is sent. Size: 8 + 4 k bytes. Thread-safe.
// Cost: k draws and n/8 bytes of scratch at both ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/payload.h"

namespace skiff {

// The k drawn of n entries, in ascending order.
std::vector<std::uint32_t> drawn_entries(std::uint64_t seed, std::size_t n, std::size_t k);

constexpr std::size_t drawn_bytes(std::size_t k) { return 8 + 4 * k; }

// Keeps `scale` times the drawn entries; the others become zero. With scale = n/k this is unbiased.
Payload encode_drawn(std::span<float> values, std::uint64_t seed, std::size_t k, double scale);

// `codec`: the registered name, for messages. DataError if encode cannot have made the payload.
void decode_drawn(const char* codec, const Payload& payload, std::size_t k, std::span<float> out);

}  // namespace skiff
