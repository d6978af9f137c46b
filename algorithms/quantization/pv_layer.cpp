#include "algorithms/quantization/pv_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/kernels/half.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/quantization/rounding.h"

namespace skiff {
namespace {

constexpr int kFitRounds = 30;
constexpr double kBeta1 = 0.9, kBeta2 = 0.95, kEpsilon = 1e-8;

float as_half(float v) { return kernels::from_half(kernels::to_half(v)); }

// The Gaussian's own grid of that size, or, where there is none, an even one a dimension.
std::vector<float> first_table(const TableFormat& format) {
  const auto points = static_cast<int>(format.entries());
  const auto* data = kernels::find_gaussian_grid(format.dimension, points);
  if (data != nullptr) {
    const std::span<const float> found = kernels::gaussian_grid(*data).points();
    return {found.begin(), found.end()};
  }
  std::vector<float> table;
  const int side = static_cast<int>(std::lround(std::pow(points, 1.0 / format.dimension)));
  for (int i = 0; i < points; ++i) {
    for (int d = 0, rest = i; d < format.dimension; ++d, rest /= side) {
      const float share = (static_cast<float>(rest % side) + 0.5F) / static_cast<float>(side);
      table.push_back(4 * share - 2);
    }
  }
  return table;
}

}  // namespace

void PvLayer::place_groups() {
  group_of_.resize(latent_.size());
  for_groups(format_.group, rows_, cols_, [&](std::size_t g, std::size_t first, std::size_t count) {
    std::fill_n(group_of_.begin() + static_cast<std::ptrdiff_t>(first), count,
                static_cast<std::uint32_t>(g));
  });
}

void PvLayer::start_steps() {
  const double size = std::max<double>(1, static_cast<double>(latent_.size()));
  unit_ = std::sqrt(kernels::squared_norm_double(latent_) / size);
  table_moments_ = {std::vector<double>(table_.size()), std::vector<double>(table_.size())};
  scale_moments_ = {std::vector<double>(scales_.size()), std::vector<double>(scales_.size())};
  code_moments_.resize(latent_.size());
}

PvLayer::PvLayer(const LayerMatrix& matrix, const TableFormat& format, std::span<const float> first)
    : format_(format), rows_(matrix.rows), cols_(matrix.cols), latent_(matrix.values) {
  place_groups();
  for_groups(format.group, rows_, cols_, [&](std::size_t, std::size_t begin, std::size_t count) {
    const double square = kernels::squared_norm_double(std::span(latent_).subspan(begin, count));
    scales_.push_back(stored_scale(
        static_cast<float>(std::sqrt(square / static_cast<double>(count))), ScaleType::kFp16));
  });
  table_ = first.empty() ? first_table(format) : std::vector<float>(first.begin(), first.end());
  codes_.resize(static_cast<std::size_t>(rows_) *
                static_cast<std::size_t>(format.codes_per_row(cols_)));
  values_.resize(latent_.size());
  fit_table();
  start_steps();
}

PvLayer::PvLayer(const TableParts& stored)
    : format_(stored.format),
      rows_(stored.rows),
      cols_(stored.cols),
      table_(stored.codes.table),
      scales_(stored.codes.scales),
      codes_(stored.codes.codes) {
  values_.resize(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(cols_));
  latent_.resize(values_.size());
  place_groups();
  refresh();
  latent_ = values_;
  start_steps();
}

std::size_t PvLayer::first_value(std::size_t code) const {
  const auto per_row = static_cast<std::size_t>(format_.codes_per_row(cols_));
  return code / per_row * static_cast<std::size_t>(cols_) +
         code % per_row * static_cast<std::size_t>(format_.dimension);
}

std::size_t PvLayer::values_of(std::size_t code) const {  // fewer at the end of a row
  const auto per_row = static_cast<std::size_t>(format_.codes_per_row(cols_));
  const auto p = static_cast<std::size_t>(format_.dimension);
  return std::min(p, static_cast<std::size_t>(cols_) - code % per_row * p);
}

std::uint16_t PvLayer::nearest(std::span<const float> reference, std::size_t code) const {
  const std::size_t first = first_value(code), count = values_of(code);
  const auto p = static_cast<std::size_t>(format_.dimension);
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  if (p == 1) {  // the same sums without the inner loop, which takes most of the time
    const double x = reference[first], scale = scale_of(first);
    for (std::size_t entry = 0; entry < format_.entries(); ++entry) {
      const double e = x - scale * double{table_[entry]};
      if (e * e < least) {
        least = e * e;
        best = entry;
      }
    }
    return static_cast<std::uint16_t>(best);
  }
  for (std::size_t entry = 0; entry < format_.entries(); ++entry) {
    double error = 0;
    for (std::size_t d = 0; d < count; ++d) {
      const double e = double{reference[first + d]} -
                       double{scale_of(first + d)} * double{table_[entry * p + d]};
      error += e * e;
    }
    if (error < least) {
      least = error;
      best = entry;
    }
  }
  return static_cast<std::uint16_t>(best);
}

// k-means: entries become the means of the weights that are theirs, weighted by squared scales.
void PvLayer::fit_table() {
  const auto p = static_cast<std::size_t>(format_.dimension);
  for (int round = 0; round <= kFitRounds; ++round) {
    for (std::size_t c = 0; c < codes_.size(); ++c) codes_[c] = nearest(latent_, c);
    if (round == kFitRounds) break;
    std::vector<double> sums(table_.size()), masses(table_.size());
    for (std::size_t c = 0; c < codes_.size(); ++c) {
      const std::size_t first = first_value(c);
      for (std::size_t d = 0; d < values_of(c); ++d) {
        const double s = scale_of(first + d);
        sums[codes_[c] * p + d] += s * latent_[first + d];
        masses[codes_[c] * p + d] += s * s;
      }
    }
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (masses[i] > 0) table_[i] = static_cast<float>(sums[i] / masses[i]);
    }
  }
  refresh();
}

void PvLayer::refresh() {
  const auto p = static_cast<std::size_t>(format_.dimension);
  for (std::size_t c = 0; c < codes_.size(); ++c) {
    const std::size_t first = first_value(c);
    for (std::size_t d = 0; d < values_of(c); ++d) {
      values_[first + d] = scale_of(first + d) * table_[codes_[c] * p + d];
    }
  }
}

void PvLayer::pull_back(std::span<const float> gradient, std::span<double> table,
                        std::span<double> scales) const {
  const auto p = static_cast<std::size_t>(format_.dimension);
  for (std::size_t c = 0; c < codes_.size(); ++c) {
    const std::size_t first = first_value(c);
    for (std::size_t d = 0; d < values_of(c); ++d) {
      const std::size_t i = first + d;
      table[codes_[c] * p + d] += double{gradient[i]} * double{scale_of(i)};
      scales[group_of_[i]] += double{gradient[i]} * double{values_[i]};
    }
  }
}

// P step.
void PvLayer::move_values(std::span<const float> gradient, double rate) {
  std::vector<double> table(table_.size()), scales(scales_.size());
  pull_back(gradient, table, scales);
  const double debias1 = 1 - std::pow(kBeta1, steps_), debias2 = 1 - std::pow(kBeta2, steps_);
  const auto adam = [&](Moments& m, std::size_t i, double g) {
    m.first[i] = kBeta1 * m.first[i] + (1 - kBeta1) * g;
    m.second[i] = kBeta2 * m.second[i] + (1 - kBeta2) * g * g;
    return rate * (m.first[i] / debias1) / (std::sqrt(m.second[i] / debias2) + kEpsilon);
  };
  for (std::size_t i = 0; i < table_.size(); ++i) {
    table_[i] = static_cast<float>(table_[i] - adam(table_moments_, i, table[i]));
  }
  for (std::size_t i = 0; i < scales_.size(); ++i) {
    scales_[i] = static_cast<float>(scales_[i] * (1 - adam(scale_moments_, i, scales[i])));
  }
}

// Changes at most so many codes: of those that would differ, the ones moved farthest.
std::size_t PvLayer::move_codes(std::span<const float> reference, std::size_t most) {
  struct Change {
    double moved;
    std::size_t code;
    std::uint16_t becomes;
  };
  std::vector<Change> changes;
  for (std::size_t c = 0; c < codes_.size(); ++c) {
    const std::uint16_t becomes = nearest(reference, c);
    if (becomes == codes_[c]) continue;
    double moved = 0;
    const std::size_t first = first_value(c);
    for (std::size_t i = first; i < first + values_of(c); ++i) {
      moved += std::pow(double{reference[i]} - double{values_[i]}, 2);
    }
    changes.push_back({moved, c, becomes});
  }
  if (changes.size() > most) {
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
      return a.moved > b.moved || (a.moved == b.moved && a.code < b.code);
    });
    changes.resize(most);
  }
  for (const Change& change : changes) codes_[change.code] = change.becomes;
  return changes.size();
}

// Each value alone (dimension 1): one of the two nearest entries, by 1 / distance.
std::size_t PvLayer::round_by_chance(std::span<const float> reference, Stream stream) {
  std::size_t changed = 0;
  for (std::size_t c = 0; c < codes_.size(); ++c) {
    const double s = scale_of(c), x = reference[c];
    std::size_t best = 0, second = 0;
    double least = std::numeric_limits<double>::infinity(), next = least;
    for (std::size_t e = 0; e < table_.size(); ++e) {
      const double distance = std::abs(x - s * double{table_[e]});
      if (distance < least) {
        next = least;
        second = best;
        least = distance;
        best = e;
      } else if (distance < next) {
        next = distance;
        second = e;
      }
    }
    const double sum = least + next;  // 1/least : 1/next = next : least
    const bool nearer = !(sum > 0) || stream.uniform() * sum < next;
    const auto becomes = static_cast<std::uint16_t>(nearer ? best : second);
    changed += becomes != codes_[c];
    codes_[c] = becomes;
  }
  return changed;
}

std::size_t PvLayer::step(std::span<const float> gradient, PvMode mode, const PvRates& rates,
                          Stream stream) {
  ++steps_;
  const bool latent = mode == PvMode::kPvSte || mode == PvMode::kSte || mode == PvMode::kStochastic;
  std::vector<float> reference;
  if (mode != PvMode::kPOnly) {
    reference = latent ? latent_ : values_;
    const double debias = 1 - std::pow(kBeta2, steps_);
    const double rate = rates.code_learning_rate * unit_;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double g = gradient[i];
      code_moments_[i] = static_cast<float>(kBeta2 * code_moments_[i] + (1 - kBeta2) * g * g);
      reference[i] = static_cast<float>(reference[i] -
                                        rate * g / (std::sqrt(code_moments_[i] / debias) + 1e-12));
    }
    if (latent) latent_ = reference;
  }
  move_values(gradient, rates.learning_rate);
  std::size_t changed = 0;
  if (mode == PvMode::kStochastic) {
    changed = round_by_chance(reference, stream);
  } else if (mode != PvMode::kPOnly) {
    const bool all = mode == PvMode::kSte || mode == PvMode::kNaive;
    const auto size = static_cast<double>(codes_.size());
    changed =
        move_codes(reference, all ? codes_.size()
                                  : static_cast<std::size_t>(std::ceil(rates.subspace * size)));
  }
  refresh();
  return changed;
}

StoredValuesPtr PvLayer::stored() const {
  TableCodes out{codes_, {}, {}};
  for (const float s : scales_) out.scales.push_back(stored_scale(s, ScaleType::kFp16));
  for (const float v : table_) out.table.push_back(as_half(v));
  return table_values(format_, rows_, cols_, out);
}

}  // namespace skiff
