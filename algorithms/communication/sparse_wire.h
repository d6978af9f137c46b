// The wire format of k entries out of n, chosen by magnitude: used by every top-k like codec.
//
// Bytes: k float32 in the order of their indices; then the indices, in the shorter of two forms:
//   fixed   k fields of ceil(log2 n) bits, strictly ascending     if k ceil(log2 n) < n
//   bitmap  n bits, entry i is bit i, k of them set               otherwise
// padded to a whole byte. Size, from (n, k) alone: 4 k + ceil(min(n, k ceil(log2 n)) / 8).
// Thread-safe.
#pragma once

#include <cstddef>
#include <span>

#include "algorithms/payload.h"

namespace skiff {

std::size_t sparse_bytes(std::size_t n, std::size_t k);

// Keeps the k entries of greatest magnitude, the lower index first among equals; the others become
// zero. Values must be finite. Cost: about one and a half passes, scratch of some 2 k indices.
Payload encode_largest(std::span<float> values, std::size_t k);

// `codec`: the registered name, for messages. DataError if encode cannot have made the payload.
void decode_sparse(const char* codec, const Payload& payload, std::size_t k, std::span<float> out);

}  // namespace skiff
