#include "algorithms/planning/predicted_loss.h"

#include <algorithm>
#include <numeric>

#include "sim/core/parse_units.h"

namespace skiff {

// stories260K: codes of higgs (dimension 1) and masks of wanda without training afterwards
// (algorithms/quantization and pruning/README.md); ranks of lora on all linear layers after 40
// rounds over speakers, against rank 32; optimizers by scenarios/sweeps.
MeasuredLoss built_in_losses() {
  return {.bits = {{"2", 2.70}, {"3", 0.62}, {"4", 0.125}, {"8", 0.0004}, {"16", 0}, {"32", 0}},
          .sparsity = {{"0", 0}, {"0.5", 1.65}, {"0.6", 2.76}, {"0.7", 3.56}},
          .rank = {{"2", 0.326}, {"4", 0.262}, {"8", 0.180}, {"16", 0.094}, {"32", 0}},
          .optimizer = {},
          .batch = {}};
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
  std::vector<std::pair<double, double>> points;
  for (const auto& [at, y] : curve) points.emplace_back(parse_number(at).value_or(0), y);
  std::sort(points.begin(), points.end());
  if (*x <= points.front().first) return points.front().second;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto [x0, y0] = points[i - 1];
    const auto [x1, y1] = points[i];
    if (*x <= x1) return y0 + (y1 - y0) * (*x - x0) / (x1 - x0);
  }
  return points.back().second;
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

double predicted_loss(const Node& choice, const MeasuredLoss& measured, const Layout& layout,
                      const Compressor* quantizer, const std::vector<double>& slopes) {
  static const MeasuredLoss kBuiltIn = built_in_losses();
  double loss = 0;
  const auto add = [&](const char* key, const LossCurve& own, const LossCurve& built_in) {
    if (const Node* value = choice.find(key)) {
      loss += on_curve(either(own, built_in), number_of(key, *value));
    }
  };
  const std::vector<double> errors =
      quantizer != nullptr ? quantizer->relative_error(layout) : std::vector<double>();
  if (measured.bits.empty() && !slopes.empty() && errors.size() == slopes.size()) {
    loss += std::inner_product(errors.begin(), errors.end(), slopes.begin(), 0.0);
  } else {
    add("bits", measured.bits, kBuiltIn.bits);
  }
  add("sparsity", measured.sparsity, kBuiltIn.sparsity);
  add("rank", measured.rank, kBuiltIn.rank);
  add("optimizer", measured.optimizer, kBuiltIn.optimizer);
  add("batch", measured.batch, kBuiltIn.batch);
  return loss;
}

}  // namespace skiff
