#include "algorithms/pruning/mask.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "sim/core/error.h"

namespace skiff::pruning {
namespace {

constexpr double kHair = 1e-9;
constexpr int kShift = 48;  // sign, exponent and four bits of the fraction: 2^15 buckets

// Scores that are not negative are in the order of their bits.
std::uint64_t key(double score) {
  if (std::isnan(score)) score = std::numeric_limits<double>::infinity();
  return std::bit_cast<std::uint64_t>(score + 0.0);  // -0 is 0
}

// The k-th lowest key (k >= 1), how many keys are lower, and how many are the same.
struct Cut {
  std::uint64_t key;
  std::int64_t lower, same;
};

Cut cut_at(std::span<const double> scores, std::int64_t k) {
  std::vector<std::int64_t> buckets(std::size_t{1} << (64 - kShift));
  for (const double s : scores) ++buckets[key(s) >> kShift];
  std::size_t bucket = 0;
  std::int64_t lower = 0;
  while (lower + buckets[bucket] < k) lower += buckets[bucket++];
  std::vector<std::uint64_t> keys;
  keys.reserve(static_cast<std::size_t>(buckets[bucket]));
  for (const double s : scores) {
    if (key(s) >> kShift == bucket) keys.push_back(key(s));
  }
  const auto nth = keys.begin() + (k - lower - 1);
  std::nth_element(keys.begin(), nth, keys.end());
  const std::uint64_t cut = *nth;
  lower += std::count_if(keys.begin(), nth, [&](std::uint64_t v) { return v < cut; });
  return {cut, lower, std::count(keys.begin(), keys.end(), cut)};
}

// For rows and groups, which are short.
void lowest_of_few(std::span<const double> scores, std::int64_t k, std::span<std::uint8_t> out,
                   std::vector<std::pair<std::uint64_t, int>>& order) {
  order.clear();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    order.emplace_back(key(scores[i]), static_cast<int>(i));
  }
  std::nth_element(order.begin(), order.begin() + k, order.end());
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  for (std::int64_t i = 0; i < k; ++i) {
    out[static_cast<std::size_t>(order[static_cast<std::size_t>(i)].second)] = 1;
  }
}

}  // namespace

std::int64_t floor_share(std::int64_t n, double p) {
  return static_cast<std::int64_t>(std::floor(static_cast<double>(n) * p + kHair));
}
std::int64_t ceil_share(std::int64_t n, double p) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(n) * p - kHair));
}

Pattern pattern_of(const std::string& structure) {
  if (structure == "2-of-4") return {2, 4};
  if (structure == "4-of-8") return {4, 8};
  return {};
}

std::int64_t pattern_count(const Pattern& pattern, std::int64_t rows, std::int64_t cols) {
  return rows * (cols / pattern.of) * pattern.gone;
}

void lowest(std::span<const double> scores, std::int64_t k, std::span<std::uint8_t> out) {
  const auto n = static_cast<std::int64_t>(scores.size());
  SKIFF_CHECK(out.size() == scores.size() && k >= 0 && k <= n, "a count beyond the scores");
  if (k == 0 || k == n) {
    std::fill(out.begin(), out.end(), static_cast<std::uint8_t>(k == 0 ? 0 : 1));
    return;
  }
  const Cut cut = cut_at(scores, k);
  std::int64_t equal = k - cut.lower;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::uint64_t v = key(scores[i]);
    out[i] = v < cut.key || (v == cut.key && equal-- > 0) ? 1 : 0;
  }
}

void lowest_of_first_columns(std::span<const double> scores, int cols, std::int64_t k, int first,
                             Mask& out) {
  const auto width = static_cast<std::size_t>(cols), shown = static_cast<std::size_t>(first);
  const std::size_t rows = scores.size() / width;
  out.resize(rows * shown);
  const auto n = static_cast<std::int64_t>(scores.size());
  SKIFF_CHECK(k >= 0 && k <= n, "a count beyond the scores");
  const Cut cut = k == 0 || k == n ? Cut{} : cut_at(scores, k);
  if (k == 0 || cut.lower + cut.same != k) {  // ties are cut through: in order of place
    const Mask all = lowest(scores, k);
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(i * width), shown,
                  out.begin() + static_cast<std::ptrdiff_t>(i * shown));
    }
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < shown; ++j) {
      out[i * shown + j] = key(scores[i * width + j]) <= cut.key ? 1 : 0;
    }
  }
}

Mask lowest(std::span<const double> scores, std::int64_t k) {
  Mask mask(scores.size());
  lowest(scores, k, mask);
  return mask;
}

Mask lowest_of_rows(std::span<const double> scores, int cols, std::int64_t k) {
  SKIFF_CHECK(k >= 0 && k <= cols, "a count beyond a row");
  Mask mask(scores.size());
  std::vector<std::pair<std::uint64_t, int>> order;
  const auto width = static_cast<std::size_t>(cols);
  for (std::size_t at = 0; at < scores.size(); at += width) {
    lowest_of_few(scores.subspan(at, width), k, std::span(mask).subspan(at, width), order);
  }
  return mask;
}

Mask lowest_of_pattern(std::span<const double> scores, int cols, const Pattern& pattern) {
  Mask mask(scores.size());
  std::vector<std::pair<std::uint64_t, int>> order;
  const auto width = static_cast<std::size_t>(cols);
  const auto of = static_cast<std::size_t>(pattern.of);
  for (std::size_t row = 0; row < scores.size(); row += width) {
    for (std::size_t at = row; at + of <= row + width; at += of) {
      lowest_of_few(scores.subspan(at, of), pattern.gone, std::span(mask).subspan(at, of), order);
    }
  }
  return mask;
}

std::int64_t count(const Mask& mask) { return std::count(mask.begin(), mask.end(), 1); }

}  // namespace skiff::pruning
