#include "sim/record/huffman.h"

#include <algorithm>

namespace skiff {
namespace {

constexpr int kLongestWord = 15;

struct Leaf {
  std::uint32_t frequency;
  std::uint32_t symbol;
  bool operator<(const Leaf& o) const {
    return frequency != o.frequency ? frequency < o.frequency : symbol < o.symbol;
  }
};

// Moffat and Katajainen, "In-place calculation of minimum-redundancy codes" (1995). Leaves in
// ascending order of frequency; depth[i] is that of leaf i. At least two leaves. The greatest
// depth.
int find_depths(std::span<const Leaf> leaves, std::span<std::uint8_t> depth) {
  const int n = static_cast<int>(leaves.size());
  std::array<std::uint32_t, kMostSymbols> node;  // inner nodes in order of making: weight,
  std::array<int, kMostSymbols> parent;          // and the one above
  int leaf = 0, root = 0;
  const auto take = [&](int made) {
    if (root < made && (leaf >= n || node[root] < leaves[leaf].frequency)) {
      parent[root] = made;
      return node[root++];
    }
    return leaves[leaf++].frequency;
  };
  for (int made = 0; made < n - 1; ++made) {
    const std::uint32_t first = take(made);
    node[made] = first + take(made);
  }
  // Depths of the inner nodes from the root down; what is free at each depth are leaves.
  std::array<int, kMostSymbols> level;
  level[n - 2] = 0;
  for (int i = n - 3; i >= 0; --i) level[i] = level[parent[i]] + 1;
  int next_leaf = n - 1, next_node = n - 2, at = 0;
  for (int available = 1; available > 0; ++at) {
    int inner = 0;
    while (next_node >= 0 && level[next_node] == at) ++inner, --next_node;
    for (int i = inner; i < available; ++i) depth[next_leaf--] = static_cast<std::uint8_t>(at);
    available = 2 * inner;
  }
  return at - 1;
}

// The sixteen lowest bits in the opposite order.
unsigned reversed(unsigned word) {
  word = (word & 0x5555) << 1 | (word >> 1 & 0x5555);
  word = (word & 0x3333) << 2 | (word >> 2 & 0x3333);
  word = (word & 0x0f0f) << 4 | (word >> 4 & 0x0f0f);
  return (word & 0x00ff) << 8 | (word >> 8 & 0x00ff);
}

}  // namespace

HuffmanCode canonical_code(std::span<const std::uint8_t> lengths) {
  HuffmanCode code;
  std::array<unsigned, kLongestWord + 2> next{};
  std::array<unsigned, kLongestWord + 1> count{};
  for (const std::uint8_t length : lengths) ++count[length];
  count[0] = 0;
  for (int bits = 1; bits <= kLongestWord; ++bits) {
    next[bits] = (next[bits - 1] + count[bits - 1]) << 1;
  }
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const int length = lengths[s];
    if (length == 0) continue;
    code.words[s] = static_cast<std::uint16_t>(reversed(next[length]++) >> (16 - length));
    code.lengths[s] = static_cast<std::uint8_t>(length);
  }
  return code;
}

HuffmanCode huffman_code(std::span<const std::uint32_t> frequencies, int limit) {
  std::array<Leaf, kMostSymbols> all;
  std::size_t n = 0;
  for (std::uint32_t s = 0; s < frequencies.size(); ++s) {
    if (frequencies[s] > 0) all[n++] = {frequencies[s], s};
  }
  for (std::uint32_t s = 0; n < 2; ++s) {
    if (frequencies[s] == 0) all[n++] = {1, s};
  }
  const std::span<Leaf> leaves(all.data(), n);
  std::sort(leaves.begin(), leaves.end());
  std::array<std::uint8_t, kMostSymbols> depth;
  while (find_depths(leaves, depth) > limit) {  // flatten until the longest word is short enough
    for (Leaf& leaf : leaves) leaf.frequency = leaf.frequency / 2 + 1;
  }
  std::array<std::uint8_t, kMostSymbols> lengths{};
  for (std::size_t i = 0; i < n; ++i) lengths[leaves[i].symbol] = depth[i];
  return canonical_code(std::span(lengths).first(frequencies.size()));
}

}  // namespace skiff
