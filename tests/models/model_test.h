// What the tests of models share: scenario maps without a file, numbers that any language can make
// again, batches, central differences.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/models/architecture.h"
#include "algorithms/models/full_weights.h"
#include "sim/core/registry.h"

namespace skiff::testing {

inline Node list_of(const std::vector<std::string>& items) {
  Node list;
  list.kind = Node::Kind::kList;
  for (const std::string& item : items) list.items.push_back(Node::scalar(item));
  return list;
}

using Entries = std::vector<std::pair<std::string, Node>>;
inline Node map_of(const Entries& entries) {
  Node map;
  map.kind = Node::Kind::kMap;
  for (const auto& [key, value] : entries) map.set(key, value);
  return map;
}

inline Node model(const std::string& family, Entries more = {}) {
  more.insert(more.begin(), {"architecture", Node::scalar(family)});
  return map_of(more);
}

inline std::shared_ptr<const Architecture> build(const Node& node, const TaskShape& task) {
  return Registry<ModelFamily>::instance().make(node)->build(task);
}

// The problems that a map meets, one a line: "hidden: required by mlp, ...".
template <class Role>
std::string problems(const Node& node) {
  Reader reader;
  Registry<Role>::instance().make(node, reader);
  std::string text;
  for (const Problem& p : reader.problems()) text += p.path + ": " + p.message + "\n";
  return text;
}

inline TaskShape classes_task(int width, int classes) {
  return {TaskKind::kClassification, width, classes, 0, 0, 0};
}
inline TaskShape binary_task(int width) { return {TaskKind::kBinaryLogistic, width, 2, 0, 0, 0}; }
inline TaskShape image_task(int channels, int side, int classes = 10) {
  return {TaskKind::kClassification, channels * side * side, classes, channels, side, side};
}

// s = 6364136223846793005 s + 1442695040888963407 mod 2^64; multiples of 2^-24 in [-1, 1), times a
// power of two, so every language gets the same floats.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : s_(seed) {}
  float next(float scale = 1) {
    advance();
    return scale * (2 * (static_cast<float>(s_ >> 40) * 0x1p-24F) - 1);
  }
  int below(int n) {
    advance();
    return static_cast<int>((s_ >> 33) % static_cast<std::uint64_t>(n));
  }
  void fill(std::vector<float>& v, float scale = 1) {
    for (float& x : v) x = next(scale);
  }

 private:
  void advance() { s_ = s_ * 6364136223846793005U + 1442695040888963407U; }
  std::uint64_t s_;
};

// A shard whose rows stand in scattered order, and labels to go with them.
class Shard {
 public:
  Shard(const TaskShape& task, int rows, std::uint64_t seed)
      : features_(static_cast<std::size_t>(rows * task.width)), width_(task.width) {
    Numbers numbers(seed);
    numbers.fill(features_);
    for (int i = 0; i < rows; ++i) {
      const int y = numbers.below(task.classes);
      labels_.push_back(task.kind == TaskKind::kBinaryLogistic ? 2 * y - 1 : y);
      rows_.push_back(features_.data() + static_cast<std::ptrdiff_t>(i) * width_);
    }
  }
  Batch batch(int first, int count) const {
    return {{rows_.data() + first, count, width_},
            std::span(labels_).subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(count))};
  }
  Batch all() const { return batch(0, static_cast<int>(labels_.size())); }

 private:
  std::vector<float> features_;
  std::vector<std::int32_t> labels_;
  std::vector<const float*> rows_;
  int width_;
};

inline Vector random_vector(const LayoutPtr& layout, std::uint64_t seed, float scale) {
  Vector v(layout);
  Numbers(seed).fill(v.values, scale);
  return v;
}

// FNV-1a over the bits.
inline std::uint64_t hash_of(const std::vector<float>& values) {
  return hash_text({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

inline std::size_t differing(const std::vector<float>& a, const std::vector<float>& b) {
  std::size_t n = a.size() == b.size() ? 0 : 1 + a.size() + b.size();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    n += std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]);
  }
  return n;
}

// Compares every `stride`-th component of the gradient with (f(w + h) - f(w - h)) / 2h, to 0.2 %
// and the noise of f (1e-7, single-precision sums) over h. Where a ReLU or a maximum switches
// within h the quotient is no slope: a smaller h is tried.
inline void expect_gradient(const Architecture& network, const Vector& at, const Batch& batch,
                            std::size_t stride = 1) {
  const auto loss_at = [&](std::size_t i, float delta) {
    Vector moved = at;
    moved.values[i] += delta;
    FullWeights there(moved);
    Workspace workspace;
    return network.loss_and_gradient(there, batch, workspace);
  };
  FullWeights weights(at);
  Workspace workspace;
  network.loss_and_gradient(weights, batch, workspace);
  const std::vector<float> gradient = weights.gradient().values;
  for (std::size_t i = 0; i < gradient.size(); i += stride) {
    double slope = 0, room = -1;
    for (const float h : {0x1p-8F, 0x1p-10F, 0x1p-12F}) {
      if (std::abs(gradient[i] - slope) <= room) break;
      slope = (loss_at(i, h) - loss_at(i, -h)) / (2 * double{h});
      room = 2e-3 * (0.1 + std::abs(slope)) + 1e-7 / h;
    }
    EXPECT_NEAR(gradient[i], slope, room) << "component " << i;
  }
}

}  // namespace skiff::testing
