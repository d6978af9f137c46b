#include "algorithms/models/full_weights.h"

#include <algorithm>

#include "algorithms/kernels/embedding.h"
#include "algorithms/kernels/narrow.h"
#include "algorithms/kernels/reduce.h"
#include "sim/core/error.h"

namespace skiff {

using kernels::Output;

namespace {

// Narrow heads have their own kernels; wider tensors stored kOutIn (an embedding that is also the
// head) go through the plain products.
bool narrow(const Slice& s) { return s.order == Order::kOutIn && s.rows <= kernels::kNarrow; }

// Rows that lie evenly apart are a matrix: all that stand in a workspace do.
kernels::ConstMatrixView matrix_of(const kernels::Rows& x, const std::string& tensor) {
  const std::ptrdiff_t stride = x.rows > 1 ? x[1] - x[0] : x.cols;
  for (int i = 2; i < x.rows; ++i) {
    SKIFF_CHECK(x[i] - x[i - 1] == stride, "inputs of " + tensor + " lie unevenly");
  }
  return {x[0], x.rows, x.cols, static_cast<int>(stride)};
}

void forward_wide(kernels::MatrixView y, kernels::ConstMatrixView x, kernels::ConstMatrixView w,
                  std::span<const float> bias, Activation activation) {
  for (int i = 0; i < y.rows && !bias.empty(); ++i) std::copy(bias.begin(), bias.end(), y[i]);
  kernels::gemm_nt(y, x, w, bias.empty() ? Output::kOverwrite : Output::kAdd);
  for (int i = 0; i < y.rows && activation == Activation::kRelu; ++i) {
    for (int j = 0; j < y.cols; ++j) y[i][j] = 0.0F > y[i][j] ? 0.0F : y[i][j];
  }
}

}  // namespace

void FullWeights::rebind(const Vector& received, Kept kept, LayoutPtr gradients) {
  received_ = &received;
  kept_ = std::move(kept);
  parameters_.layout = received.layout;
  parameters_.values.assign(received.values.begin(), received.values.end());
  if (gradients == nullptr) gradients = received.layout;
  gradient_.layout = std::move(gradients);
  added_.assign(received.layout->slices.size(), 0);
  rate_ = 0;
}

kernels::MatrixView FullWeights::matrix(Vector& of, const Slice& s) const {
  float* data = of.values.data() + s.offset;
  return s.order == Order::kInOut ? kernels::dense(data, s.cols, s.rows)
                                  : kernels::dense(data, s.rows, s.cols);
}

void FullWeights::forward(std::size_t tensor, std::size_t bias, Activation activation,
                          const kernels::Rows& x, kernels::MatrixView y) {
  const Slice& s = slice(tensor);
  std::span<const float> b;
  if (bias != kNoTensor) b = piece(parameters_, slice(bias));
  if (s.order == Order::kInOut) {
    kernels::forward(y, x, matrix(parameters_, s), b, activation);
    return;
  }
  if (!narrow(s)) {
    return forward_wide(y, matrix_of(x, s.name), matrix(parameters_, s), b, activation);
  }
  SKIFF_CHECK(activation == Activation::kNone, "narrow heads have no activation: " + s.name);
  kernels::narrow_forward(y, x, matrix(parameters_, s), b);
}

void FullWeights::backward_input(std::size_t tensor, kernels::ConstMatrixView dy,
                                 kernels::ConstMatrixView mask, kernels::MatrixView dx) {
  const Slice& s = slice(tensor);
  kernels::ConstMatrixView w = matrix(parameters_, s);
  if (s.order == Order::kInOut && mask.rows == 0) return kernels::gemm_nt(dx, dy, w);
  if (s.order == Order::kInOut) {
    if (transposed_.size() < s.size()) transposed_.resize(s.size());
    const kernels::MatrixView turned = kernels::dense(transposed_.data(), s.rows, s.cols);
    kernels::transpose(turned, w);
    w = turned;
  }
  if (mask.rows > 0) {
    kernels::input_gradient_relu(dx, dy, w, mask);
  } else {
    kernels::input_gradient(dx, dy, w);
  }
}

void FullWeights::backward_weight(std::size_t tensor, std::size_t bias, const kernels::Rows& x,
                                  kernels::ConstMatrixView dy) {
  const Slice& s = slice(tensor);
  const bool wide = s.order == Order::kOutIn && !narrow(s);
  if (rate_ != 0) {
    const kernels::MatrixView w = matrix(parameters_, s);
    wide        ? kernels::weight_update(w, dy, matrix_of(x, s.name), rate_)
    : narrow(s) ? kernels::narrow_weight_update(w, x, dy, rate_)
                : kernels::weight_update(w, x, dy, rate_);
    if (bias != kNoTensor) kernels::bias_update(piece(parameters_, slice(bias)), dy, rate_);
    return;
  }
  const Output output = start_gradient(tensor);
  const kernels::MatrixView g = gradient_matrix(tensor);
  wide        ? kernels::weight_gradient(g, dy, matrix_of(x, s.name), output)
  : narrow(s) ? kernels::narrow_weight_gradient(g, x, dy, output)
              : kernels::weight_gradient(g, x, dy, output);
  if (bias == kNoTensor) return;
  const Output bias_output = start_gradient(bias);
  kernels::column_sum(gradient_piece(bias), dy, bias_output);
}

std::span<const float> FullWeights::values(std::size_t tensor) const {
  const Slice& s = slice(tensor);
  return std::span(parameters_.values).subspan(s.offset, s.size());
}

void FullWeights::add_gradient(std::size_t tensor, std::span<const float> g) {
  const Slice& s = slice(tensor);
  if (rate_ != 0) {
    kernels::axpy(piece(parameters_, s), -rate_, g);
  } else if (start_gradient(tensor) == Output::kAdd) {
    const std::span<float> sum = gradient_piece(tensor);
    kernels::add(sum, sum, g);
  } else {
    std::copy(g.begin(), g.end(), gradient_piece(tensor).begin());
  }
}

void FullWeights::add_row_gradients(std::size_t tensor, std::span<const std::int32_t> ids,
                                    kernels::ConstMatrixView rows) {
  if (rate_ != 0) return Weights::add_row_gradients(tensor, ids, rows);
  const Output output = start_gradient(tensor);
  const std::span<float> sum = gradient_piece(tensor);
  if (output == Output::kOverwrite) std::fill(sum.begin(), sum.end(), 0.0F);
  kernels::scatter_add_rows(gradient_matrix(tensor), ids, rows);
}

Output FullWeights::start_gradient(std::size_t tensor) {
  gradient_.values.resize(gradient_.layout->size);
  const bool add = added_[tensor] != 0;
  added_[tensor] = 1;
  return add ? Output::kAdd : Output::kOverwrite;
}

Vector& FullWeights::gradient() {
  for (std::size_t t = 0; t < added_.size(); ++t) {
    if (start_gradient(t) == Output::kAdd) continue;
    const std::span<float> untouched = gradient_piece(t);
    std::fill(untouched.begin(), untouched.end(), 0.0F);
  }
  return gradient_;
}

void FullWeights::keep_only(Vector& of) const {
  std::size_t next = 0;
  for (const std::uint32_t kept : *kept_) {
    while (next < kept) of.values[next++] = 0.0F;
    ++next;
  }
  std::fill(of.values.begin() + static_cast<std::ptrdiff_t>(next), of.values.end(), 0.0F);
}

void FullWeights::clear_gradient() { std::fill(added_.begin(), added_.end(), std::uint8_t{0}); }

void FullWeights::update(Vector& out) const {
  out.layout = parameters_.layout;
  out.values.resize(parameters_.values.size());
  kernels::subtract(out.values, parameters_.values, received_->values);
}

}  // namespace skiff
