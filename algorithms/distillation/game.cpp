#include "algorithms/distillation/game.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/exp_double.h"

namespace skiff::distillation {

using kernels::exp_double;

Normaliser Normaliser::start(std::int64_t samples, std::size_t outputs) {
  return {std::vector<double>(outputs),
          std::vector<double>(outputs, 2 * static_cast<double>(samples)),
          std::vector<double>(outputs)};
}

void Normaliser::merge(const Normaliser& others) {
  for (std::size_t j = 0; j < sum.size(); ++j) {
    const double top = std::max(shift[j], others.shift[j]);
    sum[j] =
        sum[j] * exp_double(shift[j] - top) + others.sum[j] * exp_double(others.shift[j] - top);
    shift[j] = top;
    most[j] = std::max(most[j], others.most[j]);
  }
}

Normaliser normaliser_of(std::span<const double> gaps, std::size_t outputs, double eta) {
  Normaliser n = Normaliser::start(0, outputs);
  const auto each = [&](auto body) {
    for (std::size_t i = 0, j = 0; i < gaps.size(); ++i, j = j + 1 < outputs ? j + 1 : 0)
      body(i, j);
  };
  each([&](std::size_t i, std::size_t j) { n.most[j] = std::max(n.most[j], std::abs(gaps[i])); });
  for (std::size_t j = 0; j < outputs; ++j) n.shift[j] = eta * n.most[j];
  each([&](std::size_t i, std::size_t j) {
    const double at = eta * gaps[i];
    n.sum[j] += exp_double(-at - n.shift[j]) + exp_double(at - n.shift[j]);
  });
  return n;
}

Weight weight_of(double gap, double eta, const Normaliser& all, std::size_t output) {
  const double at = eta * gap, shift = all.shift[output], sum = all.sum[output];
  return {exp_double(-at - shift) / sum, exp_double(at - shift) / sum};
}

void Tally::merge(const Tally& others) {
  for (std::size_t j = 0; j < edge.size(); ++j) edge[j] += others.edge[j];
  for (std::size_t j = 0; j < second.size(); ++j) second[j] += others.second[j];
  largest = std::max(largest, others.largest);
  clipped += others.clipped;
}

double Tally::least_edge() const { return *std::min_element(edge.begin(), edge.end()); }

Tally tally_of(std::span<const double> gaps, std::span<double> residuals, double eta, double limit,
               const Normaliser& all) {
  const std::size_t outputs = all.sum.size();
  Tally tally{std::vector<double>(outputs), std::vector<double>(outputs), 0, 0};
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const std::size_t j = i % outputs;
    tally.largest = std::max(tally.largest, std::abs(residuals[i]));
    tally.clipped += std::abs(residuals[i]) > limit ? 1 : 0;
    const double l = residuals[i] = std::clamp(residuals[i], -limit, limit);
    const Weight k = weight_of(gaps[i], eta, all, j);
    tally.edge[j] += k.tilt() * l;
    tally.second[j] += k.both() * l * l;
  }
  return tally;
}

double rate_of(std::int64_t samples, std::int64_t members, double limit) {
  const double logarithm = kernels::log_double(2 * static_cast<double>(samples));
  return std::min(1.0, std::sqrt(logarithm / static_cast<double>(members))) / limit;
}

double certificate(std::int64_t samples, std::int64_t members, double eta, double second,
                   double edge) {
  const double logarithm = kernels::log_double(2 * static_cast<double>(samples));
  return (logarithm / eta + eta * second - edge) / static_cast<double>(members);
}

double target_of(double answer, double gap, double eta, double push, const Normaliser& all,
                 std::size_t output) {
  const double most = kernels::tanh_double(eta * all.most[output]);
  if (!(most > 0)) return answer;
  return answer - push * kernels::tanh_double(eta * gap) / most;
}

}  // namespace skiff::distillation
