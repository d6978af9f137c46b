#include "algorithms/communication/sparse_wire.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "algorithms/communication/wire.h"

namespace skiff {
namespace {

// PLACEHOLDER until algorithms/kernels/topk.h lands.
std::vector<std::uint32_t> largest(std::span<const float> v, std::size_t k) {
  std::vector<std::uint32_t> order(v.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto key = [&](std::uint32_t i) {
    return std::bit_cast<std::uint32_t>(v[i]) & 0x7fffffffu;
  };
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return key(a) != key(b) ? key(a) > key(b) : a < b;
  };
  if (k < v.size()) {
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                     before);
  }
  order.resize(k);
  std::sort(order.begin(), order.end());
  return order;
}

struct Indices {
  int bits;
  bool bitmap;
  std::size_t bytes;
};

Indices index_format(std::size_t n, std::size_t k) {
  const int bits = wire::bits_for(n);
  const std::size_t fixed = k * static_cast<std::size_t>(bits);
  return {bits, fixed >= n, wire::bytes_for_bits(std::min(n, fixed))};
}

void write_indices(std::span<const std::uint32_t> indices, const Indices& format, std::byte* out) {
  if (format.bitmap) {
    for (const std::uint32_t i : indices) {
      out[i / 8] |= static_cast<std::byte>(1u << (i % 8));
    }
    return;
  }
  wire::BitWriter writer(out);
  for (const std::uint32_t i : indices) writer.put(i, format.bits);
  writer.finish();
}

// Each calls place(index) for the k entries in ascending order.
template <class Place>
void read_bitmap(const char* codec, std::span<const std::byte> map, std::size_t n, std::size_t k,
                 Place place) {
  std::size_t count = 0;
  for (std::size_t b = 0; b < map.size(); ++b) {
    auto byte = static_cast<unsigned>(map[b]);
    for (; byte != 0; byte &= byte - 1) {
      const std::size_t i = 8 * b + static_cast<std::size_t>(std::countr_zero(byte));
      if (i >= n || count == k) wire::refuse(codec, "its bitmap marks too many entries");
      place(i);
      ++count;
    }
  }
  if (count != k) wire::refuse(codec, "its bitmap marks too few entries");
}

template <class Place>
void read_fixed(const char* codec, std::span<const std::byte> in, int bits, std::size_t n,
                std::size_t k, Place place) {
  wire::BitReader reader(in);
  std::size_t next = 0;  // least index that may follow
  for (std::size_t j = 0; j < k; ++j) {
    const std::size_t i = reader.get(bits);
    if (i >= n) wire::refuse(codec, "an index lies beyond the vector");
    if (i < next) wire::refuse(codec, "its indices do not ascend");
    next = i + 1;
    place(i);
  }
  if (!reader.only_padding_left()) wire::refuse(codec, "its padding is not zero");
}

}  // namespace

std::size_t sparse_bytes(std::size_t n, std::size_t k) {
  return k * sizeof(float) + index_format(n, k).bytes;
}

Payload encode_largest(std::span<float> values, std::size_t k) {
  const Indices format = index_format(values.size(), k);
  Payload payload;
  payload.bytes.resize(sparse_bytes(values.size(), k));
  std::vector<std::uint32_t> indices = largest(values, k);
  std::vector<float> kept(k);
  for (std::size_t j = 0; j < k; ++j) kept[j] = values[indices[j]];
  wire::write_floats(payload, 0, kept);
  write_indices(indices, format, payload.bytes.data() + k * sizeof(float));
  std::fill(values.begin(), values.end(), 0.0f);
  for (std::size_t j = 0; j < k; ++j) values[indices[j]] = kept[j];
  return payload;
}

void decode_sparse(const char* codec, const Payload& payload, std::size_t k, std::span<float> out) {
  const Indices format = index_format(out.size(), k);
  wire::expect_size(codec, payload, sparse_bytes(out.size(), k));
  std::fill(out.begin(), out.end(), 0.0f);
  const std::byte* value = payload.bytes.data();
  constexpr std::uint32_t exponent = 0x7f800000u;
  bool finite = true;
  const auto place = [&](std::size_t i) {
    std::uint32_t word = 0;
    std::memcpy(&word, value, sizeof word);
    value += sizeof word;
    finite = finite && (word & exponent) != exponent;
    out[i] = std::bit_cast<float>(word);
  };
  const auto indices = std::span(payload.bytes).subspan(k * sizeof(float));
  if (format.bitmap) {
    read_bitmap(codec, indices, out.size(), k, place);
  } else {
    read_fixed(codec, indices, format.bits, out.size(), k, place);
  }
  if (!finite) wire::refuse_not_finite(codec);
}

}  // namespace skiff
