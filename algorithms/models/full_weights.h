// Weights that are all trained, on a private dense copy of what the client received.
//
// gradient() is made on demand: a fused step never allocates it. After clear_gradient() the first
// gradient of a tensor overwrites instead of adding, so clearing costs nothing; sums are the same
// bits either way. Memory: the copy, the gradient (unfused), and one transposed matrix for
// backward_input of layers stored kInOut behind a ReLU. One thread. `rebind` starts another job
// without allocating, if the shapes are no larger.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "algorithms/models/weights.h"

namespace skiff {

class FullWeights final : public Weights {
 public:
  using Kept = std::shared_ptr<const std::vector<std::uint32_t>>;
  FullWeights() = default;
  // `received` is copied, and read again by update(): it must live as long as the job.
  explicit FullWeights(const Vector& received) { rebind(received); }
  explicit FullWeights(Vector&&) = delete;
  // kept: all other coordinates stay at 0; null: all are trained. gradients: shapes of gradient(),
  // by tensor, where some are not of the weights' (who owns this fills those); null: they all are.
  void rebind(const Vector& received, Kept kept = nullptr, LayoutPtr gradients = nullptr);

  const Layout& shapes() const override { return *parameters_.layout; }
  void forward(std::size_t tensor, std::size_t bias, Activation activation, const kernels::Rows& x,
               kernels::MatrixView y) override;
  void backward_input(std::size_t tensor, kernels::ConstMatrixView dy,
                      kernels::ConstMatrixView mask, kernels::MatrixView dx) override;
  void backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                       kernels::ConstMatrixView dy) override;
  std::span<const float> values(std::size_t tensor) const override;
  void add_gradient(std::size_t tensor, std::span<const float> g) override;
  void add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                         kernels::ConstMatrixView rows) override;
  Vector& parameters() override { return parameters_; }
  Vector& gradient() override;
  void clear_gradient() override;
  bool fuse_sgd(float learning_rate) override {
    if (kept_ != nullptr) return false;
    rate_ = learning_rate;
    return true;
  }
  void after_gradient() override {
    if (kept_ != nullptr) keep_only(gradient());
  }
  void after_step() override {
    if (kept_ != nullptr) keep_only(parameters_);
  }
  void update(Vector& out) const override;

  // The gradient's piece of a tensor, and whether to add to it (else it is to be overwritten).
  kernels::Output start_gradient(std::size_t tensor);
  std::span<float> gradient_piece(std::size_t tensor) {
    return piece(gradient_, gradient_.layout->slices[tensor]);
  }
  kernels::MatrixView gradient_matrix(std::size_t tensor) {
    return matrix(gradient_, gradient_.layout->slices[tensor]);
  }

 private:
  const Slice& slice(std::size_t tensor) const { return parameters_.layout->slices[tensor]; }
  std::span<float> piece(Vector& of, const Slice& s) const {
    return std::span(of.values).subspan(s.offset, s.size());
  }
  kernels::MatrixView matrix(Vector& of, const Slice& s) const;
  void keep_only(Vector& of) const;
  void add_bias_gradient(std::size_t bias, kernels::ConstMatrixView dy);

  const Vector* received_ = nullptr;
  Kept kept_;
  Vector parameters_;
  Vector gradient_;                  // allocated by the first unfused gradient
  std::vector<std::uint8_t> added_;  // by tensor: gradient_ holds something since it was cleared
  std::vector<float> transposed_;
  float rate_ = 0;  // of the fused step; 0: not fused
};

}  // namespace skiff
