#include "algorithms/kernels/topk.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "algorithms/kernels/simd.h"

namespace skiff::kernels {
namespace {

using Words = std::span<std::uint32_t>;

constexpr std::size_t kSamples = 65536;
constexpr std::size_t kLanes = 8;

std::uint32_t key_of(float x) noexcept {
  return static_cast<std::uint32_t>(simd::bits(x)) & 0x7fffffffU;
}

// The rank in the samples whose key lets k elements and 6 standard deviations survive.
std::size_t sampled_rank(std::size_t n, std::size_t k) noexcept {
  const double expected = static_cast<double>(k) * kSamples / static_cast<double>(n);
  return static_cast<std::size_t>(expected + 6 * std::sqrt(expected)) + 8;
}

std::size_t survivors_capacity(std::size_t n, std::size_t k) noexcept {
  const double share = static_cast<double>(sampled_rank(n, k)) / kSamples;
  const double room = 1.25 * share * static_cast<double>(n) + 4096;
  return std::min(n, static_cast<std::size_t>(room));
}

// For each mask of 8 lanes: the lanes that are set, ascending, one byte each.
constexpr std::array<std::uint64_t, 256> compress_table() noexcept {
  std::array<std::uint64_t, 256> table{};
  for (std::uint32_t mask = 0; mask < 256; ++mask) {
    int slot = 0;
    for (std::uint64_t lane = 0; lane < 8; ++lane) {
      if ((mask >> lane & 1U) != 0) table[mask] |= lane << (8 * slot++);
    }
  }
  return table;
}
constexpr std::array<std::uint64_t, 256> kCompress = compress_table();

struct Survivors {
  Words keys, indices;
  std::size_t count = 0;
};

// Those of 8 words that `order` names, to the front; writes all 8.
void put_front(std::uint32_t* out, __m256i words, __m256i order) noexcept {
  const __m256i packed = _mm256_permutevar8x32_epi32(words, order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), packed);
}

// Collects all elements with keys >= threshold, in order; false if they do not fit.
bool collect(Survivors& s, std::span<const float> x, std::uint32_t threshold) noexcept {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  const __m256i below = _mm256_set1_epi32(static_cast<int>(threshold) - 1);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const Words to_keys = s.keys, to_indices = s.indices;
  std::size_t count = 0, i = 0;
  for (; i + 32 <= x.size(); i += 32) {
    __m256i keys[4];
    unsigned masks[4];
    for (std::size_t q = 0; q < 4; ++q) {
      const float* at = x.data() + i + 8 * q;
      keys[q] = _mm256_and_si256(_mm256_castps_si256(_mm256_loadu_ps(at)), magnitude);
      const __m256 above = _mm256_castsi256_ps(_mm256_cmpgt_epi32(keys[q], below));
      masks[q] = static_cast<unsigned>(_mm256_movemask_ps(above));
    }
    if ((masks[0] | masks[1] | masks[2] | masks[3]) == 0) continue;
    if (count + 32 > to_keys.size()) return false;
    for (std::size_t q = 0; q < 4; ++q) {
      const auto packed = static_cast<long long>(kCompress[masks[q]]);
      const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(packed));
      const __m256i first = _mm256_set1_epi32(static_cast<int>(i + 8 * q));
      put_front(to_keys.data() + count, keys[q], order);
      put_front(to_indices.data() + count, _mm256_add_epi32(first, lanes), order);
      count += static_cast<std::size_t>(__builtin_popcount(masks[q]));
    }
  }
  for (; i < x.size(); ++i) {
    if (key_of(x[i]) < threshold) continue;
    if (count == to_keys.size()) return false;
    to_keys[count] = key_of(x[i]);
    to_indices[count++] = static_cast<std::uint32_t>(i);
  }
  s.count = count;
  return true;
}

// What separates the chosen: all keys above `key`, and the first `ties` that equal it.
struct Threshold {
  std::uint32_t key;
  std::size_t ties;
};

// The k-th greatest key (k >= 1) by the 11, 10 and 10 highest bits in turn.
Threshold threshold_by_histogram(std::span<const float> x, std::size_t k) noexcept {
  std::uint32_t prefix = 0;
  std::uint32_t known = 0;  // mask of the bits that `prefix` fixes
  std::size_t wanted = k;
  for (const int shift : {20, 10, 0}) {
    std::uint32_t counts[2048] = {};
    const std::uint32_t buckets = shift == 20 ? 2048 : 1024;
    for (const float v : x) {
      const std::uint32_t key = key_of(v);
      if ((key & known) == prefix) ++counts[key >> shift & (buckets - 1)];
    }
    std::uint32_t bucket = buckets - 1;
    while (counts[bucket] < wanted) wanted -= counts[bucket--];
    prefix |= bucket << shift;
    known |= (buckets - 1) << shift;
  }
  return {prefix, wanted};
}

// How many of the keys exceed `bound`; keys and bound below 2^31.
std::size_t count_above(std::span<const std::uint32_t> keys, std::uint32_t bound) noexcept {
  const __m256i most = _mm256_set1_epi32(static_cast<int>(bound));
  __m256i sums = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + kLanes <= keys.size(); i += kLanes) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys.data() + i));
    sums = _mm256_sub_epi32(sums, _mm256_cmpgt_epi32(v, most));
  }
  std::uint32_t lanes[kLanes];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sums);
  std::size_t count = std::accumulate(lanes, lanes + kLanes, std::size_t{0});
  for (; i < keys.size(); ++i) count += keys[i] > bound ? 1 : 0;
  return count;
}

// The k-th greatest, 1 <= k <= keys.size(), by halving what it may be: no branch depends on a key.
std::uint32_t kth_greatest(std::span<const std::uint32_t> keys, std::size_t k) noexcept {
  const auto [least, greatest] = std::minmax_element(keys.begin(), keys.end());
  std::uint32_t low = *least, high = *greatest;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const bool above = count_above(keys, middle) >= k;
    low = above ? middle + 1 : low;
    high = above ? high : middle;
  }
  return low;
}

// Survivors by the samples' threshold, which is lowered until k elements pass it.
bool collect_by_samples(Survivors& s, std::span<const float> x, std::size_t k) noexcept {
  for (std::size_t rank = sampled_rank(x.size(), k); rank < kSamples; rank *= 2) {
    const Words samples = s.keys.first(kSamples);
    for (std::size_t i = 0; i < kSamples; ++i) samples[i] = key_of(x[i * x.size() / kSamples]);
    if (!collect(s, x, kth_greatest(samples, rank))) return false;
    if (s.count >= k) return true;
  }
  return false;
}

// Vectors of 8 whose lanes' maxima are one group each, so that there are half again as many groups
// as elements wanted; below 2 there is no gain.
std::size_t vectors_of_group(std::size_t n, std::size_t k) noexcept {
  return std::min<std::size_t>(2 * n / (3 * std::max<std::size_t>(k, 1)), 64);
}

// Survivors of a threshold that k elements pass: k groups have a maximum of at least that.
bool collect_by_groups(Survivors& s, std::span<const float> x, std::size_t k) noexcept {
  const std::size_t vectors = vectors_of_group(x.size(), k);
  if (vectors < 2) return false;
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  std::size_t groups = 0;
  for (std::size_t i = 0; i + kLanes <= x.size(); groups += kLanes) {
    __m256i most = _mm256_setzero_si256();
    for (std::size_t v = 0; v < vectors && i + kLanes <= x.size(); ++v, i += kLanes) {
      const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x.data() + i));
      most = _mm256_max_epu32(most, _mm256_and_si256(bits, magnitude));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(s.keys.data() + groups), most);
  }
  return groups >= k && collect(s, x, kth_greatest(s.keys.first(groups), k));
}

// The chosen among survivors, which are all that equal or exceed some threshold. Returns the least.
std::uint32_t choose(Words indices, const Survivors& s) noexcept {
  const Words keys = s.keys.first(s.count);
  const std::uint32_t least = kth_greatest(keys, indices.size());
  std::size_t ties = indices.size() - count_above(keys, least);
  for (std::size_t i = 0, out = 0; out < indices.size(); ++i) {
    const std::size_t tie = keys[i] == least && ties > 0 ? 1 : 0;
    ties -= tie;
    indices[out] = s.indices[i];
    out += tie + (keys[i] > least ? 1 : 0);
  }
  return least;
}

}  // namespace

std::size_t top_k_scratch(std::size_t n, std::size_t k) noexcept {
  if (n > kSamples) return 2 * std::max(kSamples, survivors_capacity(n, k));
  if (vectors_of_group(n, k) < 2) return 0;
  // Twice the survivors that are expected of elements in any order, and the groups; writes are
  // of 8.
  return 2 * (std::min(n, 4 * k) + n / vectors_of_group(n, k) + 8 * kLanes);
}

float top_k(Words indices, std::span<const float> x, Words scratch) noexcept {
  const std::size_t k = indices.size();
  const std::size_t n = x.size();
  if (k == 0) return 0;
  const std::size_t half = top_k_scratch(n, k) / 2;
  Survivors s{scratch.first(half), scratch.subspan(half, half)};
  if (k < n && (n > kSamples ? collect_by_samples(s, x, k) : collect_by_groups(s, x, k))) {
    return simd::from_bits(static_cast<std::int32_t>(choose(indices, s)));
  }
  std::size_t out = 0;
  Threshold threshold = threshold_by_histogram(x, k);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t key = key_of(x[i]);
    const bool tie = key == threshold.key && threshold.ties > 0;
    if (key <= threshold.key && !tie) continue;
    if (tie) --threshold.ties;
    indices[out++] = static_cast<std::uint32_t>(i);
  }
  return simd::from_bits(static_cast<std::int32_t>(threshold.key));
}

bool contains_nan(std::span<const float> x) noexcept {
  std::int32_t found = 0;
  for (const float v : x) found |= v == v ? 0 : 1;
  return found != 0;
}

void gather(std::span<float> out, std::span<const float> x,
            std::span<const std::uint32_t> indices) noexcept {
  for (std::size_t i = 0; i < indices.size(); ++i) out[i] = x[indices[i]];
}

void scatter(std::span<float> x, std::span<const float> values,
             std::span<const std::uint32_t> indices) noexcept {
  for (std::size_t i = 0; i < indices.size(); ++i) x[indices[i]] = values[i];
}

}  // namespace skiff::kernels
