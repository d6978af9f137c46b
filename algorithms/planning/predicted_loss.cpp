#include "algorithms/planning/predicted_loss.h"

#include <algorithm>
#include <numeric>

#include "sim/core/parse_units.h"

namespace skiff {

// stories260K: codes of higgs (dimension 1) and masks of wanda without training afterwards
// (algorithms/quantization and pruning/README.md); ranks of lora on all linear layers after 40
// rounds over speakers with alpha = 2 rank, against rank 32; optimizers after 10 rounds on all
// weights, each at the best of a few rates, against adamw (scenarios/sweeps/README.md). Plain sgd
// and batches have no row: how well they do depends on their rates.
MeasuredLoss built_in_losses() {
  return {.bits = {{"2", 2.70}, {"3", 0.62}, {"4", 0.125}, {"8", 0.0004}, {"16", 0}, {"32", 0}},
          .sparsity = {{"0", 0},
                       {"0.3", 0.21},
                       {"0.5", 1.65},
                       {"0.6", 2.76},
                       {"0.7", 3.56},
                       {"0.8", 5.04},
                       {"0.9", 6.36}},
          .rank = {{"2", 0.326}, {"4", 0.262}, {"8", 0.180}, {"16", 0.094}, {"32", 0}},
          .optimizer = {{"adamw", 0}, {"adam-8bit", 0.018}, {"microadam", 0.096}},
          .batch = {}};
}

// The same codes, whose grids leave 4.0e-5, 0.0095, 0.0345 and 0.117 of Gaussian weights; and all
// lost: ln 512, the words, less the loss of 1.32.
LossCurve built_in_loss_by_error() {
  return {{"0", 0},          {"4.01e-5", 0.0004}, {"0.0095", 0.125},
          {"0.03455", 0.62}, {"0.11748", 2.70},   {"1", 4.92}};
}

double on_curve(const LossCurve& curve, double value) {
  if (curve.empty()) return 0;
  std::vector<std::pair<double, double>> points;
  for (const auto& [at, y] : curve) points.emplace_back(parse_number(at).value_or(0), y);
  std::sort(points.begin(), points.end());
  if (value <= points.front().first) return points.front().second;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto [x0, y0] = points[i - 1];
    const auto [x1, y1] = points[i];
    if (value <= x1) return y0 + (y1 - y0) * (value - x0) / (x1 - x0);
  }
  return points.back().second;
}

double on_curve(const LossCurve& curve, const std::string& value) {
  if (curve.empty()) return 0;
  const std::optional<double> x = parse_number(value);
  if (!x) {
    const auto row =
        std::find_if(curve.begin(), curve.end(), [&](const auto& r) { return r.first == value; });
    if (row != curve.end()) return row->second;
    const double sum = std::accumulate(curve.begin(), curve.end(), 0.0,
                                       [](double s, const auto& r) { return s + r.second; });
    return sum / static_cast<double>(curve.size());
  }
  return on_curve(curve, *x);
}

std::vector<double> growth_by_slice(const std::vector<double>& errors,
                                    const std::vector<double>& slopes, const Layout& layout) {
  std::vector<double> growth(errors.size());
  if (!slopes.empty()) {
    for (std::size_t l = 0; l < growth.size(); ++l) growth[l] = slopes[l] * errors[l];
    return growth;
  }
  static const LossCurve kByError = built_in_loss_by_error();
  std::vector<bool> layers(errors.size());
  for (std::size_t l = 0; l < errors.size(); ++l) layers[l] = errors[l] > 0;
  growth = shared_growth(1, layers, layout);
  for (std::size_t l = 0; l < growth.size(); ++l) growth[l] *= on_curve(kByError, errors[l]);
  return growth;
}

std::vector<double> shared_growth(double growth, const std::vector<bool>& layers,
                                  const Layout& layout) {
  double all = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (layers[l]) all += static_cast<double>(layout.slices[l].size());
  }
  std::vector<double> shares(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (layers[l]) shares[l] = growth * static_cast<double>(layout.slices[l].size()) / all;
  }
  return shares;
}

namespace {

const LossCurve& either(const LossCurve& own, const LossCurve& built_in) {
  return own.empty() ? built_in : own;
}

// A fraction may be written as 60%.
std::string number_of(const std::string& key, const Node& value) {
  if (key == "optimizer") {
    const Node* name = value.find("name");
    return name != nullptr ? name->text : value.text;
  }
  if (!value.text.ends_with('%')) return value.text;
  const std::optional<double> share = parse_number(value.text.substr(0, value.text.size() - 1));
  return share ? std::to_string(*share / 100) : value.text;
}

}  // namespace

double predicted_loss(const Node& choice, const MeasuredLoss& measured, const FoundLoss& found) {
  static const MeasuredLoss kBuiltIn = built_in_losses();
  double loss = 0;
  const auto add = [&](const char* key, const LossCurve& own, const LossCurve& built_in,
                       const std::optional<double>& here = {}) {
    const Node* value = choice.find(key);
    if (here) {
      loss += *here;
    } else if (value != nullptr) {
      loss += on_curve(either(own, built_in), number_of(key, *value));
    }
  };
  add("bits", measured.bits, kBuiltIn.bits, found.bits);
  add("sparsity", measured.sparsity, kBuiltIn.sparsity, found.sparsity);
  add("rank", measured.rank, kBuiltIn.rank);
  add("optimizer", measured.optimizer, kBuiltIn.optimizer);
  add("batch", measured.batch, kBuiltIn.batch);
  return loss;
}

}  // namespace skiff
