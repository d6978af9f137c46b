#include "algorithms/data/assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "sim/core/distributions.h"

namespace skiff {

ShardList shards_by_client(std::span<const std::int32_t> client_of_row, int clients) {
  ShardList list;
  list.begin.assign(static_cast<std::size_t>(clients) + 1, 0);
  for (const std::int32_t k : client_of_row) {
    if (k >= 0) ++list.begin[static_cast<std::size_t>(k) + 1];
  }
  std::partial_sum(list.begin.begin(), list.begin.end(), list.begin.begin());
  list.rows.resize(static_cast<std::size_t>(list.begin.back()));
  std::vector<std::int64_t> next(list.begin.begin(), list.begin.end() - 1);
  for (std::size_t i = 0; i < client_of_row.size(); ++i) {
    if (client_of_row[i] < 0) continue;
    std::int64_t& at = next[static_cast<std::size_t>(client_of_row[i])];
    list.rows[static_cast<std::size_t>(at++)] = static_cast<std::uint32_t>(i);
  }
  return list;
}

ClassRows rows_by_class(std::span<const std::int32_t> labels) {
  ClassRows result;
  result.labels.assign(labels.begin(), labels.end());
  std::sort(result.labels.begin(), result.labels.end());
  result.labels.erase(std::unique(result.labels.begin(), result.labels.end()), result.labels.end());
  result.rows.resize(result.labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto at = std::lower_bound(result.labels.begin(), result.labels.end(), labels[i]);
    result.rows[static_cast<std::size_t>(at - result.labels.begin())].push_back(
        static_cast<std::uint32_t>(i));
  }
  return result;
}

std::vector<std::int64_t> equal_sizes(std::int64_t n, int clients) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(clients), n / clients);
  for (std::int64_t k = 0; k < n % clients; ++k) ++sizes[static_cast<std::size_t>(k)];
  return sizes;
}

std::vector<std::int64_t> cut_sizes(std::span<const double> weights, std::int64_t n) {
  std::vector<std::int64_t> sizes(weights.size());
  std::size_t last = weights.size() - 1;  // takes what rounding left; never one of weight 0
  while (last > 0 && weights[last] == 0) --last;
  double sum = 0;
  std::int64_t before = 0;
  for (std::size_t k = 0; k <= last; ++k) {
    sum += weights[k];
    const auto cut = static_cast<std::int64_t>(std::floor(sum * static_cast<double>(n)));
    const std::int64_t end = k == last ? n : std::clamp(cut, before, n);
    sizes[k] = end - before;
    before = end;
  }
  return sizes;
}

std::vector<std::int64_t> lognormal_sizes(std::int64_t n, int clients, double sigma,
                                          std::int64_t least, Stream& stream) {
  if (n / clients < least) {
    throw std::invalid_argument(fmt::format(
        "{} training samples are too few for {} clients with at least {} each", n, clients, least));
  }
  std::vector<double> above(static_cast<std::size_t>(clients));
  double sum = 0;
  for (double& w : above) sum += w = lognormal(stream, 1.0, sigma);
  double excess = 0;
  for (double& w : above) {
    w = std::max(0.0, w / sum * static_cast<double>(n) - static_cast<double>(least));
    excess += w;
  }
  if (excess == 0) return equal_sizes(n, clients);
  for (double& w : above) w /= excess;
  std::vector<std::int64_t> sizes = cut_sizes(above, n - clients * least);
  for (std::int64_t& size : sizes) size += least;
  return sizes;
}

ShardList shuffled_blocks(std::int64_t n, std::span<const std::int64_t> sizes, Stream& stream) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0u);
  shuffle(stream, std::span(order));
  std::vector<std::int32_t> client_of_row(order.size(), -1);
  std::size_t next = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    for (std::int64_t i = 0; i < sizes[k]; ++i) {
      client_of_row[order[next++]] = static_cast<std::int32_t>(k);
    }
  }
  return shards_by_client(client_of_row, static_cast<int>(sizes.size()));
}

void require_clients(std::int64_t samples, int clients) {
  if (clients < 1) throw std::invalid_argument("the number of clients is not given");
  if (clients > samples) {
    throw std::invalid_argument(fmt::format(
        "{} clients, but only {} training samples; every client needs one", clients, samples));
  }
}

std::vector<std::int64_t> draw_sizes(const std::function<std::vector<std::int64_t>(Stream&)>& draw,
                                     const Stream& stream, std::int64_t min_samples,
                                     const char* advice) {
  constexpr int kDraws = 1000;
  for (int attempt = 0; attempt < kDraws; ++attempt) {
    Stream trial = stream.child("draw", static_cast<std::uint64_t>(attempt));
    std::vector<std::int64_t> sizes = draw(trial);
    if (*std::min_element(sizes.begin(), sizes.end()) >= min_samples) return sizes;
  }
  throw std::invalid_argument(
      fmt::format("none of {} draws gave every client min_samples ({}) or more; {}", kDraws,
                  min_samples, advice));
}

}  // namespace skiff
