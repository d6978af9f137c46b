// A layer given in closed form, on which masks and errors of every method are known: 8 outputs, 16
// inputs, d_j = 1 + cos(j) / 2, H_ij = d_i d_j 0.9^|i-j|, W_ij = sin(1 + 16 i + j) (1 + i / 10).
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include "algorithms/pruning/mask.h"
#include "algorithms/pruning/scores.h"

namespace skiff::testing {

struct ClosedLayer {
  static constexpr int kRows = 8, kCols = 16;
  std::vector<double> w;
  InputStatistics inputs;

  ClosedLayer() {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) w.push_back(std::sin(1 + 16 * i + j) * (1 + 0.1 * i));
    }
    inputs.width = kCols;
    inputs.count = inputs.samples = 1;
    for (int i = 0; i < kCols; ++i) {
      for (int j = 0; j < kCols; ++j) {
        inputs.gram.push_back(d(i) * d(j) * std::pow(0.9, std::abs(i - j)));
      }
    }
    inputs.sum.assign(kCols, 0.0);
  }
  static double d(int j) { return 1 + 0.5 * std::cos(j); }
  pruning::MatrixOf matrix() const { return {w, kRows, kCols}; }
  std::vector<double> xn() const { return pruning::input_norms(inputs); }
  double error(const std::vector<double>& after) const {
    return pruning::output_error(matrix(), {after, kRows, kCols}, inputs);
  }
  double error(const pruning::Mask& mask) const {
    std::vector<double> after = w;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (mask[i] != 0) after[i] = 0;
    }
    return error(after);
  }
};

// One hexadecimal word a row, bit k for column k: "db6f db36 ...".
inline std::string words(const pruning::Mask& mask, int cols) {
  std::string text;
  for (std::size_t at = 0; at < mask.size(); at += static_cast<std::size_t>(cols)) {
    unsigned bits = 0;
    for (int j = 0; j < cols; ++j) {
      bits |= static_cast<unsigned>(mask[at + static_cast<std::size_t>(j)]) << j;
    }
    char word[16];
    std::snprintf(word, sizeof word, "%04x", bits);
    text += (text.empty() ? "" : " ") + std::string(word);
  }
  return text;
}

}  // namespace skiff::testing
