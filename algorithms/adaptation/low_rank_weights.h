// Frozen weights with trained low-rank factors beside some of them: y = x W^T + s (x A^T) B^T + b.
//
// From the factors x and dy of the weight gradient it forms, with s = alpha / r,
//   grad A = s (dy B)^T x,   grad B = s dy^T (x A^T),   dx = dy W + s (dy B) A
// and never a gradient of W: a step takes two large products a layer instead of three. Biases,
// norms and embeddings are frozen. Factors may be frozen too (random sketches). The base is decoded
// once and kept as long as jobs train beside the same one. Dropout acts on the adapter's x; rows at
// the same place of two groups of sequences in one step share its mask. Scratch: 2 x kChunk x r
// floats, and kChunk x n with dropout. One thread.
#pragma once

#include <memory>
#include <vector>

#include "algorithms/adaptation/low_rank.h"
#include "algorithms/model.h"
#include "algorithms/models/full_weights.h"

namespace skiff {

class LowRankWeights final : public Weights {
 public:
  static constexpr int kChunk = 256;  // rows worked on at once

  // `frozen`: factors that do not train; `received` is read again by update().
  void rebind(std::shared_ptr<const Model> base, const Vector& received, const Vector& frozen,
              std::span<const AdapterSlices> adapters, double dropout);

  const Layout& shapes() const override { return base_->shapes(); }
  void forward(std::size_t tensor, std::size_t bias, Activation activation, const kernels::Rows& x,
               kernels::MatrixView y) override;
  void backward_input(std::size_t tensor, kernels::ConstMatrixView dy,
                      kernels::ConstMatrixView mask, kernels::MatrixView dx) override;
  void backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                       kernels::ConstMatrixView dy) override;
  std::span<const float> values(std::size_t tensor) const override;
  void add_gradient(std::size_t, std::span<const float>) override {}  // frozen
  void add_row_gradients(std::size_t, std::span<const std::int32_t>,
                         kernels::ConstMatrixView) override {}
  Vector& parameters() override { return parameters_; }
  Vector& gradient() override { return gradient_; }
  void clear_gradient() override;
  void begin_step(Stream step) override;
  void update(Vector& out) const override;

 private:
  struct Piece {  // of a factor
    bool trained = false;
    std::size_t offset = 0;
  };
  struct Adapter {
    int rows = 0, cols = 0, rank = 0;
    float scale = 0;
    Piece a, b;
  };
  void find_adapters(std::span<const AdapterSlices> adapters);
  Piece find(const std::string& layer, Factor which, std::size_t size) const;
  const Adapter* adapter(std::size_t tensor) const;
  kernels::ConstMatrixView a_of(const Adapter& adapter) const;
  kernels::ConstMatrixView b_of(const Adapter& adapter) const;
  const float* data(const Piece& piece) const;
  float* slope(const Piece& piece) { return gradient_.values.data() + piece.offset; }
  // s x A^T and s dy B of some rows.
  kernels::MatrixView inner(const Adapter& a, const kernels::Rows& x);
  kernels::MatrixView outer(const Adapter& a, kernels::ConstMatrixView dy);
  // What dropout leaves of rows that begin at `first`; x itself where it is off.
  kernels::Rows dropped(std::size_t tensor, int first, const kernels::Rows& x);
  void drop(std::size_t tensor, int first, kernels::MatrixView rows) const;
  bool drops() const { return dropout_ > 0 && step_.has_value(); }

  std::shared_ptr<const Model> held_;  // what base_ was decoded from
  std::unique_ptr<FullWeights> base_;
  const Vector* received_ = nullptr;
  Vector parameters_, gradient_, frozen_;
  std::vector<std::unique_ptr<Adapter>> adapters_;  // by tensor; null: none
  double dropout_ = 0;
  std::optional<Stream> step_;
  std::vector<float> inner_, outer_, masked_;
  std::vector<const float*> pointers_;
};

}  // namespace skiff
