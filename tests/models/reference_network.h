// The scalar twin of a fully connected network: plain loops over std::fma, in the order that
// defines every result. Slices as in dense_network.h, all with biases.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "algorithms/kernels/exp.h"
#include "algorithms/models/architecture.h"

namespace skiff::testing {

class ReferenceNetwork {
 public:
  explicit ReferenceNetwork(Vector start) : w(std::move(start)), g(w.layout) {}

  // One step of gradient descent on the mean cross entropy.
  void step(const Batch& batch, float rate) {
    gradient(batch);
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      w.values[i] = std::fma(-rate, g.values[i], w.values[i]);
    }
  }

  void gradient(const Batch& batch) {
    std::vector<Matrix> values = {inputs(batch)};
    const std::size_t depth = w.layout->slices.size() / 2;
    for (std::size_t l = 0; l < depth; ++l) values.push_back(forward(l, values[l], l + 1 == depth));
    Matrix dy = loss_gradient(values.back(), batch);
    for (std::size_t l = depth; l-- > 0;) {
      const Matrix below = l > 0 ? input_gradient(l, dy, values[l]) : Matrix();
      weight_gradient(l, dy, values[l]);
      dy = below;
    }
  }

  Vector w, g;

 private:
  using Matrix = std::vector<std::vector<float>>;

  static Matrix inputs(const Batch& batch) {
    Matrix m;
    for (int b = 0; b < batch.inputs.rows; ++b) {
      m.emplace_back(batch.inputs[b], batch.inputs[b] + batch.inputs.cols);
    }
    return m;
  }
  static std::size_t index(const Slice& s, int out, int in) {
    return s.offset + static_cast<std::size_t>(s.order == Order::kInOut ? in * s.rows + out
                                                                        : out * s.cols + in);
  }
  float weight(const Slice& s, int out, int in) const { return w.values[index(s, out, in)]; }

  Matrix forward(std::size_t l, const Matrix& x, bool last) const {
    const Slice& s = w.layout->slices[2 * l];
    const float* bias = w.values.data() + w.layout->slices[2 * l + 1].offset;
    Matrix y;
    for (const std::vector<float>& row : x) {
      std::vector<float>& out = y.emplace_back(bias, bias + s.rows);
      if (s.order == Order::kInOut) {
        for (int i = 0; i < s.cols; ++i) {
          for (int o = 0; o < s.rows; ++o) out[o] = std::fma(row[i], weight(s, o, i), out[o]);
        }
      } else {
        for (int o = 0; o < s.rows; ++o) out[o] += lanes(s, row, o);
      }
      for (float& v : out) v = !last && 0 > v ? 0 : v;
    }
    return y;
  }
  // 16 lanes, then the tree (l, l+8), (l, l+4), (l, l+2), (l, l+1).
  float lanes(const Slice& s, const std::vector<float>& x, int o) const {
    float lane[16] = {};
    for (int i = 0; i < s.cols; ++i) lane[i % 16] = std::fma(x[i], weight(s, o, i), lane[i % 16]);
    return tree(lane);
  }
  static float tree(float (&lane)[16]) {
    for (int half = 8; half > 0; half /= 2) {
      for (int k = 0; k < half; ++k) lane[k] += lane[k + half];
    }
    return lane[0];
  }

  // In class order up to 16 classes, else by lanes.
  static float sum_of(const std::vector<float>& e) {
    float lane[16] = {};
    if (e.size() <= 16) return std::accumulate(e.begin(), e.end(), 0.0F);
    for (std::size_t i = 0; i < e.size(); ++i) lane[i % 16] += e[i];
    return tree(lane);
  }

  static Matrix loss_gradient(const Matrix& logits, const Batch& batch) {
    Matrix d = logits;
    const float share = 1.0F / static_cast<float>(logits.size());
    for (std::size_t b = 0; b < d.size(); ++b) {
      const float greatest = *std::max_element(d[b].begin(), d[b].end());
      for (float& z : d[b]) z = kernels::vexp(z - greatest);
      const float inverse = 1 / sum_of(d[b]);
      for (std::size_t c = 0; c < d[b].size(); ++c) {
        const float hit = static_cast<int>(c) == batch.labels[b] ? 1.0F : 0.0F;
        d[b][c] = share * std::fma(d[b][c], inverse, -hit);
      }
    }
    return d;
  }

  Matrix input_gradient(std::size_t l, const Matrix& dy, const Matrix& active) const {
    const Slice& s = w.layout->slices[2 * l];
    Matrix dx = active;
    for (std::size_t b = 0; b < dy.size(); ++b) {
      for (int i = 0; i < s.cols; ++i) {
        float sum = 0;
        for (int o = 0; o < s.rows; ++o) sum = std::fma(dy[b][o], weight(s, o, i), sum);
        dx[b][i] = active[b][i] > 0 ? sum : 0;
      }
    }
    return dx;
  }

  void weight_gradient(std::size_t l, const Matrix& dy, const Matrix& x) {
    const Slice& s = w.layout->slices[2 * l];
    const std::size_t bias = w.layout->slices[2 * l + 1].offset;
    for (int o = 0; o < s.rows; ++o) {
      float sum = 0;
      for (const std::vector<float>& row : dy) sum += row[o];
      g.values[bias + static_cast<std::size_t>(o)] = sum;
      for (int i = 0; i < s.cols; ++i) g.values[index(s, o, i)] = 0;
    }
    for (std::size_t b = 0; b < x.size(); ++b) {
      for (int i = 0; i < s.cols; ++i) {
        for (int o = 0; o < s.rows; ++o) {
          float& sum = g.values[index(s, o, i)];
          sum = std::fma(x[b][i], dy[b][o], sum);
        }
      }
    }
  }
};

}  // namespace skiff::testing
