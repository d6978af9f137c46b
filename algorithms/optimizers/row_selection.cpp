#include "algorithms/optimizers/row_selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.h"

namespace skiff {
namespace {

bool with_replacement(RowSelection how) {
  return how == RowSelection::kMultiNormR || how == RowSelection::kMultiNorm2R ||
         how == RowSelection::kUniformR;
}

// What rows are drawn in proportion to.
std::vector<double> weights_of(RowSelection how, std::span<const double> squared_norms) {
  std::vector<double> weights(squared_norms.begin(), squared_norms.end());
  const bool norm = how == RowSelection::kMultiNormR || how == RowSelection::kMultiNormNr;
  const bool uniform = how == RowSelection::kUniformR || how == RowSelection::kUniformNr;
  for (double& w : weights) w = uniform ? 1 : norm ? std::sqrt(w) : w;
  return weights;
}

// The first row at which the running sum passes `at`; the last drawable one if rounding misses it.
std::size_t find(std::span<const double> weights, double at) {
  std::size_t last = 0;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    last = i;
    sum += weights[i];
    if (at < sum) break;
  }
  return last;
}

void draw_with_replacement(std::span<const double> weights, double sum, int r, Stream& stream,
                           SelectedRows& out) {
  for (int j = 0; j < r; ++j) {
    const std::size_t i = find(weights, stream.uniform() * sum);
    out.rows.push_back(static_cast<std::uint32_t>(i));
    out.rho.push_back(static_cast<float>(1 / std::sqrt(r * (weights[i] / sum))));
  }
}

void draw_without(std::vector<double> weights, int r, Stream& stream, SelectedRows& out) {
  for (int j = 0; j < r; ++j) {
    const double left = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (!(left > 0)) return;
    const std::size_t i = find(weights, stream.uniform() * left);
    out.rows.push_back(static_cast<std::uint32_t>(i));
    weights[i] = 0;
  }
}

void take_largest(std::span<const double> squared_norms, int r, SelectedRows& out) {
  std::vector<std::uint32_t> order(squared_norms.size());
  std::iota(order.begin(), order.end(), 0U);
  std::partial_sort(order.begin(), order.begin() + r, order.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      const double x = squared_norms[a], y = squared_norms[b];
                      return x != y ? x > y : a < b;
                    });
  out.rows.assign(order.begin(), order.begin() + r);
}

void fill_up(std::size_t rows, int r, SelectedRows& out) {
  for (std::uint32_t i = 0; i < rows && out.rows.size() < static_cast<std::size_t>(r); ++i) {
    if (std::find(out.rows.begin(), out.rows.end(), i) == out.rows.end()) out.rows.push_back(i);
  }
  out.rho.resize(out.rows.size(), 1);
}

}  // namespace

const std::vector<std::string>& row_selection_words() {
  static const std::vector<std::string> words{"top-r",     "multi-norm-r",  "multi-norm2-r",
                                              "uniform-r", "multi-norm-nr", "multi-norm2-nr",
                                              "uniform-nr"};
  return words;
}

RowSelection row_selection_of(const std::string& word) {
  const auto& words = row_selection_words();
  const auto place = std::find(words.begin(), words.end(), word);
  SKIFF_CHECK(place != words.end(), "no such selection: " + word);
  return static_cast<RowSelection>(place - words.begin());
}

SelectedRows select_rows(RowSelection how, std::span<const double> squared_norms, int r,
                         Stream stream) {
  SelectedRows out;
  out.rows.reserve(static_cast<std::size_t>(r));
  out.rho.reserve(static_cast<std::size_t>(r));
  std::vector<double> weights = weights_of(how, squared_norms);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::isfinite(sum) && sum > 0) {
    if (how == RowSelection::kTopR) {
      take_largest(squared_norms, r, out);
    } else if (with_replacement(how)) {
      draw_with_replacement(weights, sum, r, stream, out);
    } else {
      draw_without(std::move(weights), r, stream, out);
    }
  }
  fill_up(squared_norms.size(), r, out);
  return out;
}

}  // namespace skiff
