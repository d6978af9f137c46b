// What the tests of quantizers share: compressors by name, models of one matrix, errors.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/compressor.h"
#include "algorithms/stored_formats.h"
#include "sim/core/registry.h"

namespace skiff::testing {

using Keys = std::vector<std::pair<std::string, std::string>>;

inline std::shared_ptr<const Compressor> make(const std::string& name, const Keys& keys = {}) {
  Node map = map_of({{"name", name}});
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return Registry<Compressor>::instance().make(map);
}

inline Model matrix_model(int rows, int cols, std::vector<float> values) {
  auto layout = std::make_shared<Layout>();
  layout->add("hidden.0.weight", rows, cols);
  Model model{layout, {}, {}, {}};
  model.tensors.push_back(dense_tensor(rows, cols, std::move(values)));
  return model;
}

inline std::vector<float> compressed(const Compressor& compressor, int rows, int cols,
                                     const std::vector<float>& values, std::uint64_t seed = 0) {
  Model model = matrix_model(rows, cols, values);
  State memory;
  compressor.compress(model, nullptr, memory, Stream(seed, "test"));
  return model.tensors[0].dense();
}

// t^2 = |What - W|^2 / |W|^2
inline double relative_error(std::span<const float> what, std::span<const float> w) {
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    error += std::pow(double(what[i]) - double(w[i]), 2);
    norm += std::pow(double(w[i]), 2);
  }
  return error / norm;
}

// 4 x 64 without random numbers: sin(1 + 64 i + j) (1 + 0.1 i).
inline std::vector<float> sine_matrix() {
  std::vector<float> w;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 64; ++j) {
      w.push_back(static_cast<float>(std::sin(1.0 + 64 * i + j) * (1 + 0.1 * i)));
    }
  }
  return w;
}

}  // namespace skiff::testing
