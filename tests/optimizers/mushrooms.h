// Logistic regression on the mushrooms of LIBSVM, for optimizers: 8,124 rows of 112 features, no
// bias, no penalty; batches of 32 that walk through the rows in steps of 1,009.
#pragma once

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/optimizer.h"

namespace skiff::testing {

class Mushrooms {
 public:
  explicit Mushrooms(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      int label = 0;
      words >> label;
      signs_.push_back(label == 2 ? 1 : -1);
      rows_.emplace_back(112);
      for (std::string entry; words >> entry;) {
        const std::size_t colon = entry.find(':');
        rows_.back()[static_cast<std::size_t>(std::stoi(entry)) - 1] =
            std::stof(entry.substr(colon + 1));
      }
    }
  }
  double margin(std::size_t row, const std::vector<float>& w) const {
    double sum = 0;
    for (std::size_t j = 0; j < w.size(); ++j) sum += double{rows_[row][j]} * w[j];
    return signs_[row] * sum;
  }
  double loss(const std::vector<float>& w) const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) sum += std::log1p(std::exp(-margin(i, w)));
    return sum / static_cast<double>(rows_.size());
  }
  std::vector<float> gradient(int step, const std::vector<float>& w) const {
    std::vector<double> sum(w.size());
    for (int b = 0; b < 32; ++b) {
      const auto row = (static_cast<std::size_t>(32 * (step - 1) + b) * 1009) % rows_.size();
      const double share = -signs_[row] / (1 + std::exp(margin(row, w))) / 32;
      for (std::size_t j = 0; j < w.size(); ++j) sum[j] += share * rows_[row][j];
    }
    return {sum.begin(), sum.end()};
  }

 private:
  std::vector<std::vector<float>> rows_;
  std::vector<int> signs_;
};

// After 100 and after 600 steps from zero, at a learning rate of 0.01.
inline std::pair<double, double> losses(const Mushrooms& data, const Optimizer& optimizer) {
  Layout layout;
  layout.add("x", 112, 1);
  const Slice& slice = layout.slices[0];
  std::vector<float> w(112);
  State state;
  double early = 0;
  for (int t = 1; t <= 600; ++t) {
    optimizer.step(slice, w, data.gradient(t, w), 0.01, state);
    if (t == 100) early = data.loss(w);
  }
  return {early, data.loss(w)};
}

}  // namespace skiff::testing
