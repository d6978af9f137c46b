#include "algorithms/communication/drawn_entries.h"

#include <algorithm>
#include <limits>

#include "algorithms/communication/saturate.h"
#include "algorithms/communication/wire.h"
#include "sim/core/random.h"

namespace skiff {
namespace {

constexpr std::size_t kSeedBytes = 8;

}  // namespace

std::vector<std::uint32_t> drawn_entries(std::uint64_t seed, std::size_t n, std::size_t k) {
  SKIFF_CHECK(n <= std::numeric_limits<std::uint32_t>::max(), "drawn indices have 32 bits");
  std::vector<std::uint64_t> drawn((n + 63) / 64);  // entry i is bit i
  const auto bit = [](std::size_t i) { return std::uint64_t{1} << (i % 64); };
  Stream stream(seed, "random-k");
  for (std::size_t last = n - k; last < n; ++last) {
    const std::size_t i = stream.below(static_cast<std::uint32_t>(last + 1));
    const bool taken = (drawn[i / 64] & bit(i)) != 0;
    const std::size_t chosen = taken ? last : i;
    drawn[chosen / 64] |= bit(chosen);
  }
  std::vector<std::uint32_t> indices;
  indices.reserve(k);
  for (std::size_t w = 0; w < drawn.size(); ++w) {
    for (std::uint64_t word = drawn[w]; word != 0; word &= word - 1) {
      indices.push_back(static_cast<std::uint32_t>(64 * w) +
                        static_cast<std::uint32_t>(std::countr_zero(word)));
    }
  }
  return indices;
}

Payload encode_drawn(std::span<float> values, std::uint64_t seed, std::size_t k, double scale) {
  const auto factor = static_cast<float>(scale);
  const std::vector<std::uint32_t> indices = drawn_entries(seed, values.size(), k);
  std::vector<float> sent(k);
  for (std::size_t j = 0; j < k; ++j) sent[j] = saturated(factor * values[indices[j]]);
  std::fill(values.begin(), values.end(), 0.0f);
  for (std::size_t j = 0; j < k; ++j) values[indices[j]] = sent[j];
  Payload payload;
  payload.bytes.resize(drawn_bytes(k));
  std::memcpy(payload.bytes.data(), &seed, sizeof seed);
  wire::write_floats(payload, kSeedBytes, sent);
  return payload;
}

void decode_drawn(const char* codec, const Payload& payload, std::size_t k, std::span<float> out) {
  wire::expect_size(codec, payload, drawn_bytes(k));
  std::uint64_t seed = 0;
  std::memcpy(&seed, payload.bytes.data(), sizeof seed);
  std::vector<float> sent(k);
  wire::read_floats(payload, kSeedBytes, sent);
  wire::expect_finite(codec, sent);
  std::fill(out.begin(), out.end(), 0.0f);
  const std::vector<std::uint32_t> indices = drawn_entries(seed, out.size(), k);
  for (std::size_t j = 0; j < k; ++j) out[indices[j]] = sent[j];
}

}  // namespace skiff
