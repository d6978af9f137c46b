// One layer whose gradient is handed over as factors, for optimizers of projected gradients.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "algorithms/optimizer.h"
#include "algorithms/optimizers/projected_weights.h"
#include "algorithms/parametrization.h"
#include "tests/models/model_test.h"

namespace skiff::testing {

using Keys = std::vector<std::pair<std::string, std::string>>;

inline std::shared_ptr<const Optimizer> optimizer(const std::string& name, const Keys& keys) {
  Entries entries{{"name", Node::scalar(name)}};
  for (const auto& [key, value] : keys) entries.emplace_back(key, Node::scalar(value));
  return Registry<Optimizer>::instance().make(map_of(entries));
}

// A layer of `rows` outputs and `cols` inputs, zero at first, and a step from a gradient given
// row-major: its factors are the identity and itself.
class OneLayer {
 public:
  OneLayer(std::shared_ptr<const Optimizer> optimizer, int rows, int cols,
           Order order = Order::kInOut)
      : optimizer_(std::move(optimizer)), rows_(rows), cols_(cols), order_(order) {
    auto layout = std::make_shared<Layout>();
    layout->add("only.weight", rows, cols, order);
    start_ = Vector(LayoutPtr(std::move(layout)));
    weights_ = optimizer_->training()->bind(nullptr, start_, Stream(1, "space"), nullptr);
    identity_.resize(static_cast<std::size_t>(cols * cols));
    for (int i = 0; i < cols; ++i) identity_[static_cast<std::size_t>(i * (cols + 1))] = 1;
    for (int i = 0; i < cols; ++i) pointers_.push_back(identity_.data() + i * cols);
  }
  void hand_over(const std::vector<float>& gradient, std::uint64_t seed = 1) {
    std::vector<float> dy(gradient.size());
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) {
        dy[static_cast<std::size_t>(j * rows_ + i)] =
            gradient[static_cast<std::size_t>(i * cols_ + j)];
      }
    }
    weights_->begin_step(Stream(seed, "step", 0, step_++));
    weights_->clear_gradient();
    weights_->backward_weight(0, kNoTensor, {pointers_.data(), cols_, cols_},
                              kernels::dense(std::as_const(dy).data(), cols_, rows_));
  }
  void step(const std::vector<float>& gradient, double rate, std::uint64_t seed = 1) {
    hand_over(gradient, seed);
    weights_->step(*optimizer_, rate, moments_);
    weights_->after_step();
  }
  // Another job from the weights as they are; the moments were kept.
  void begin_round() {
    start_.values = weights_->parameters().values;
    weights_ = optimizer_->training()->bind(nullptr, start_, Stream(1, "space"), nullptr);
  }
  // Row-major.
  std::vector<float> values() {
    std::vector<float> w(start_.values.size());
    to_row_major(start_.layout->slices[0], weights_->parameters().values, w);
    return w;
  }
  const State& moments() const { return moments_; }
  ProjectedWeights& weights() { return static_cast<ProjectedWeights&>(*weights_); }

 private:
  std::shared_ptr<const Optimizer> optimizer_;
  int rows_, cols_;
  Order order_;
  Vector start_;
  std::unique_ptr<Weights> weights_;
  State moments_;
  std::vector<float> identity_;
  std::vector<const float*> pointers_;
  std::uint64_t step_ = 0;
};

// f = 1/2 sum_ij c_j (W_ij - W*_ij)^2, 12 x 30, W*_ij = (1+i)/6 sin(1+30i+j), c_j = 1 + j mod 3.
struct TwelveByThirty {
  static constexpr int kRows = 12, kCols = 30;
  static double goal(int i, int j) { return (1 + i) / 6.0 * std::sin(1 + 30 * i + j); }
  static double loss(const std::vector<float>& w) {
    double sum = 0;
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) {
        const double d = double{w[static_cast<std::size_t>(i * kCols + j)]} - goal(i, j);
        sum += 0.5 * (1 + j % 3) * d * d;
      }
    }
    return sum;
  }
  static std::vector<float> gradient(const std::vector<float>& w) {
    std::vector<float> g(w.size());
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) {
        const auto at = static_cast<std::size_t>(i * kCols + j);
        g[at] = static_cast<float>((1 + j % 3) * (double{w[at]} - goal(i, j)));
      }
    }
    return g;
  }
  // After 600 and 1,200 steps of 0.02.
  static std::pair<double, double> losses(OneLayer layer, std::uint64_t seed = 1) {
    double early = 0;
    for (int t = 1; t <= 1200; ++t) {
      layer.step(gradient(layer.values()), 0.02, seed);
      if (t == 600) early = loss(layer.values());
    }
    return {early, loss(layer.values())};
  }
};

}  // namespace skiff::testing
