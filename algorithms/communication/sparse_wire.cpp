#include "algorithms/communication/sparse_wire.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "algorithms/communication/wire.h"
#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/topk.h"

namespace skiff {
namespace {

struct Indices {
  int bits;
  bool bitmap;
  std::size_t bytes;
};

Indices index_format(std::size_t n, std::size_t k) {
  SKIFF_CHECK(n <= std::numeric_limits<std::uint32_t>::max(), "indices have 32 bits");
  const int bits = wire::bits_for(n);
  const std::size_t fixed = k * static_cast<std::size_t>(bits);
  return {bits, fixed >= n, (std::min(n, fixed) + 7) / 8};
}

void write_indices(std::span<const std::uint32_t> indices, const Indices& format,
                   std::span<std::uint8_t> out) {
  if (format.bitmap) {
    for (const std::uint32_t i : indices) {
      out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 1u << (i % 8));
    }
  } else if (format.bits > 0) {
    kernels::pack_bits(out, indices, format.bits);
  }
}

// The k indices in ascending order.
void read_bitmap(const char* codec, std::span<const std::uint8_t> map, std::size_t n,
                 std::span<std::uint32_t> indices) {
  std::size_t count = 0;
  for (std::size_t b = 0; b < map.size(); ++b) {
    for (unsigned byte = map[b]; byte != 0; byte &= byte - 1) {
      const std::size_t i = 8 * b + static_cast<std::size_t>(std::countr_zero(byte));
      if (i >= n || count == indices.size())
        wire::refuse(codec, "its bitmap marks too many entries");
      indices[count++] = static_cast<std::uint32_t>(i);
    }
  }
  if (count != indices.size()) wire::refuse(codec, "its bitmap marks too few entries");
}

void read_fixed(const char* codec, std::span<const std::uint8_t> in, int bits, std::size_t n,
                std::span<std::uint32_t> indices) {
  if (bits == 0) {  // one entry of one
    std::fill(indices.begin(), indices.end(), 0u);
    return;
  }
  kernels::unpack_bits(indices, in, bits);
  std::size_t next = 0;  // least index that may follow
  bool ascend = true;
  for (const std::uint32_t i : indices) {
    ascend = ascend && i >= next;
    next = std::size_t{i} + 1;
  }
  if (!ascend) wire::refuse(codec, "its indices do not ascend");
  if (next > n) wire::refuse(codec, "an index lies beyond the vector");
  wire::expect_zero_padding(codec, in, indices.size() * static_cast<std::uint64_t>(bits));
}

}  // namespace

std::size_t sparse_bytes(std::size_t n, std::size_t k) {
  return k * sizeof(float) + index_format(n, k).bytes;
}

Payload encode_largest(std::span<float> values, std::size_t k) {
  const std::size_t n = values.size(), value_bytes = k * sizeof(float);
  Payload payload;
  payload.bytes.resize(sparse_bytes(n, k));
  const std::size_t scratch = kernels::top_k_scratch(n, k);
  const auto words = std::make_unique_for_overwrite<std::uint32_t[]>(scratch + k);
  const std::span<std::uint32_t> indices(words.get() + scratch, k);
  kernels::top_k(indices, values, {words.get(), scratch});
  std::vector<float> kept(k);
  kernels::gather(kept, values, indices);
  wire::write_floats(payload, 0, kept);
  write_indices(indices, index_format(n, k), wire::octets(payload, value_bytes));
  std::fill(values.begin(), values.end(), 0.0f);
  kernels::scatter(values, kept, indices);
  return payload;
}

void decode_sparse(const char* codec, const Payload& payload, std::size_t k, std::span<float> out) {
  const std::size_t n = out.size(), value_bytes = k * sizeof(float);
  wire::expect_size(codec, payload, sparse_bytes(n, k));
  std::vector<float> kept(k);
  wire::read_floats(payload, 0, kept);
  wire::expect_finite(codec, kept);
  std::vector<std::uint32_t> indices(k);
  const Indices format = index_format(n, k);
  const std::span<const std::uint8_t> stream = wire::octets(payload, value_bytes);
  if (format.bitmap) {
    read_bitmap(codec, stream, n, indices);
  } else {
    read_fixed(codec, stream, format.bits, n, indices);
  }
  std::fill(out.begin(), out.end(), 0.0f);
  kernels::scatter(out, kept, indices);
}

}  // namespace skiff
