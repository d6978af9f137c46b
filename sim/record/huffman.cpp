#include "sim/record/huffman.h"

#include <algorithm>
#include <array>

namespace skiff {
namespace {

constexpr int kLongestWord = 15;

struct Leaf {
  std::uint32_t frequency;
  std::uint16_t symbol;
};

// Moffat and Katajainen, "In-place calculation of minimum-redundancy codes" (1995): leaves in
// ascending order give the depths, deepest first.
std::vector<int> depths(const std::vector<Leaf>& leaves) {
  const int n = static_cast<int>(leaves.size());
  std::vector<std::uint32_t> weight(leaves.size());
  for (int i = 0; i < n; ++i) weight[i] = leaves[i].frequency;
  std::vector<int> parent(leaves.size());
  int leaf = 0, root = 0;
  std::vector<std::uint32_t> node(leaves.size());  // internal nodes in order of making
  const auto take = [&](int made, int self) {
    if (root < made && (leaf >= n || node[root] < weight[leaf])) {
      parent[root] = self;
      return node[root++];
    }
    return weight[leaf++];
  };
  for (int made = 0; made < n - 1; ++made) {
    const std::uint32_t first = take(made, made);
    node[made] = first + take(made, made);
  }
  // Depths of internal nodes from the root down, then how many leaves are left at each depth.
  std::vector<int> depth(leaves.size(), 0);
  for (int i = n - 3; i >= 0; --i) depth[i] = depth[parent[i]] + 1;
  std::vector<int> result;
  int available = 1, level = 0, next = n - 2;
  while (available > 0) {
    int internal = 0;
    while (next >= 0 && depth[next] == level) ++internal, --next;
    for (int i = internal; i < available; ++i) result.push_back(level);
    available = 2 * internal;
    ++level;
  }
  return result;  // ascending depth = descending frequency
}

}  // namespace

HuffmanCode canonical_code(std::span<const std::uint8_t> lengths) {
  HuffmanCode code;
  code.lengths.assign(lengths.begin(), lengths.end());
  code.codes.assign(lengths.size(), 0);
  std::array<int, kLongestWord + 1> count{};
  for (const std::uint8_t length : lengths) ++count[length];
  std::array<unsigned, kLongestWord + 2> next{};
  count[0] = 0;
  for (int bits = 1; bits <= kLongestWord; ++bits) {
    next[bits] = (next[bits - 1] + static_cast<unsigned>(count[bits - 1])) << 1;
  }
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const int length = lengths[s];
    if (length == 0) continue;
    unsigned word = next[length]++, reversed = 0;
    for (int i = 0; i < length; ++i, word >>= 1) reversed = (reversed << 1) | (word & 1);
    code.codes[s] = static_cast<std::uint16_t>(reversed);
  }
  return code;
}

HuffmanCode huffman_code(std::span<const std::uint32_t> frequencies, int limit) {
  std::vector<Leaf> leaves;
  for (std::size_t s = 0; s < frequencies.size(); ++s) {
    if (frequencies[s] > 0) leaves.push_back({frequencies[s], static_cast<std::uint16_t>(s)});
  }
  for (std::uint16_t s = 0; leaves.size() < 2; ++s) {
    if (frequencies[s] == 0) leaves.push_back({1, s});
  }
  std::stable_sort(leaves.begin(), leaves.end(),
                   [](const Leaf& a, const Leaf& b) { return a.frequency < b.frequency; });
  std::vector<int> depth = depths(leaves);
  while (depth.back() > limit) {  // flatten until the longest word is short enough
    for (Leaf& leaf : leaves) leaf.frequency = leaf.frequency / 2 + 1;
    depth = depths(leaves);
  }
  std::vector<std::uint8_t> lengths(frequencies.size(), 0);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    lengths[leaves[leaves.size() - 1 - i].symbol] = static_cast<std::uint8_t>(depth[i]);
  }
  return canonical_code(lengths);
}

}  // namespace skiff
