// What the partition schemes share: rows by class, sizes, and lists from an assignment.
// Pure functions; classes are the distinct labels in ascending order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "algorithms/data/partition.h"

namespace skiff {

// client_of_row[i] in 0..clients-1, or -1 for a row that nobody holds.
ShardList shards_by_client(std::span<const std::int32_t> client_of_row, int clients);

struct ClassRows {
  std::vector<std::int32_t> labels;              // of class c
  std::vector<std::vector<std::uint32_t>> rows;  // of class c, ascending
  int classes() const { return static_cast<int>(labels.size()); }
};
ClassRows rows_by_class(std::span<const std::int32_t> labels);

// n items over `clients` as evenly as can be: the first n mod clients get one more.
std::vector<std::int64_t> equal_sizes(std::int64_t n, int clients);

// Sizes proportional to `weights` (their sum is 1) that add up to n: cuts at floor(cumsum n).
std::vector<std::int64_t> cut_sizes(std::span<const double> weights, std::int64_t n);

// Sizes proportional to independent LogNormal(ln(n / clients), sigma) draws, adding up to n. Who
// would fall short of `least` gets that many, and what the others hold above it shrinks in
// proportion. Throws std::invalid_argument unless clients x least <= n.
std::vector<std::int64_t> lognormal_sizes(std::int64_t n, int clients, double sigma,
                                          std::int64_t least, Stream& stream);

// Shuffles 0..n-1 and gives the first sizes[0] to client 0, and so on.
ShardList shuffled_blocks(std::int64_t n, std::span<const std::int64_t> sizes, Stream& stream);

// Throws std::invalid_argument unless 1 <= clients <= samples.
void require_clients(std::int64_t samples, int clients);

// draw(stream) until every size is at least min_samples; gives up after 1,000 draws with
// std::invalid_argument saying `advice`.
std::vector<std::int64_t> draw_sizes(const std::function<std::vector<std::int64_t>(Stream&)>& draw,
                                     const Stream& stream, std::int64_t min_samples,
                                     const char* advice);

}  // namespace skiff
