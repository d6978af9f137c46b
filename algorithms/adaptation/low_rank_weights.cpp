#include "algorithms/adaptation/low_rank_weights.h"

#include <algorithm>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/linear.h"
#include "sim/core/error.h"

namespace skiff {

using kernels::ConstMatrixView;
using kernels::MatrixView;
using kernels::Output;
using kernels::Rows;

namespace {

template <class Work>
void by_chunks(int rows, Work work) {
  for (int first = 0; first < rows; first += LowRankWeights::kChunk) {
    work(first, std::min(LowRankWeights::kChunk, rows - first));
  }
}

Rows some_rows(const Rows& x, int first, int count) { return {x.row + first, count, x.cols}; }

MatrixView take(std::vector<float>& scratch, int rows, int cols) {
  const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  if (scratch.size() < n) scratch.resize(n);
  return kernels::dense(scratch.data(), rows, cols);
}

void zero_behind_relu(MatrixView dx, ConstMatrixView mask) {
  for (int i = 0; i < dx.rows; ++i) {
    for (int j = 0; j < dx.cols; ++j) dx[i][j] = mask[i][j] > 0.0F ? dx[i][j] : 0.0F;
  }
}

}  // namespace

void LowRankWeights::rebind(std::shared_ptr<const Model> base, const Vector& received,
                            const Vector& frozen, std::span<const AdapterSlices> adapters,
                            double dropout) {
  SKIFF_CHECK(base != nullptr, "adapters without a base");
  if (held_ != base) {
    held_ = std::move(base);
    const Vector dense = decoded(*held_);
    if (base_ == nullptr) {
      base_ = std::make_unique<FullWeights>(dense);
    } else {
      base_->rebind(dense);
    }
  }
  received_ = &received;
  parameters_.layout = gradient_.layout = received.layout;
  parameters_.values.assign(received.values.begin(), received.values.end());
  frozen_ = frozen;
  dropout_ = dropout;
  step_.reset();
  clear_gradient();
  find_adapters(adapters);
}

LowRankWeights::Piece LowRankWeights::find(const std::string& layer, Factor which,
                                           std::size_t size) const {
  const std::string name = layer + std::string(suffix_of(which));
  const Slice* s = parameters_.layout->find(name);
  const bool trained = s != nullptr;
  if (!trained && frozen_.layout != nullptr) s = frozen_.layout->find(name);
  SKIFF_CHECK(s != nullptr && s->size() == size, "no factor, or of another rank: " + name);
  return {trained, s->offset};
}

void LowRankWeights::find_adapters(std::span<const AdapterSlices> adapters) {
  const Layout& model = base_->shapes();
  adapters_.clear();
  adapters_.resize(model.slices.size());
  for (const AdapterSlices& a : adapters) {
    const Slice* s = model.find(a.layer + ".weight");
    if (s == nullptr) s = model.find(a.layer);
    SKIFF_CHECK(s != nullptr && s->rows == a.rows && s->cols == a.cols, "no layer " + a.layer);
    adapters_[static_cast<std::size_t>(s - model.slices.data())] = std::make_unique<Adapter>(
        Adapter{a.rows, a.cols, a.rank, static_cast<float>(a.scale),
                find(a.layer, Factor::kA, static_cast<std::size_t>(a.rank * a.cols)),
                find(a.layer, Factor::kB, static_cast<std::size_t>(a.rank * a.rows))});
  }
}

const LowRankWeights::Adapter* LowRankWeights::adapter(std::size_t tensor) const {
  return adapters_[tensor].get();
}

const float* LowRankWeights::data(const Piece& piece) const {
  return (piece.trained ? parameters_ : frozen_).values.data() + piece.offset;
}
ConstMatrixView LowRankWeights::a_of(const Adapter& a) const {
  return kernels::dense(data(a.a), a.cols, a.rank);
}
ConstMatrixView LowRankWeights::b_of(const Adapter& a) const {
  return kernels::dense(data(a.b), a.rank, a.rows);
}

MatrixView LowRankWeights::inner(const Adapter& a, const Rows& x) {
  const MatrixView u = take(inner_, x.rows, a.rank);
  kernels::forward(u, x, a_of(a));
  kernels::scale(values_of(u), a.scale, values_of(ConstMatrixView(u)));
  return u;
}

MatrixView LowRankWeights::outer(const Adapter& a, ConstMatrixView dy) {
  const MatrixView v = take(outer_, dy.rows, a.rank);
  kernels::gemm_nt(v, dy, b_of(a));
  kernels::scale(values_of(v), a.scale, values_of(ConstMatrixView(v)));
  return v;
}

void LowRankWeights::drop(std::size_t tensor, int first, MatrixView rows) const {
  const auto keep = static_cast<float>(1 - dropout_);
  for (int i = 0; i < rows.rows; ++i) {
    Stream coins =
        step_->child("dropout", tensor).child("row", static_cast<std::uint64_t>(first + i));
    for (int j = 0; j < rows.cols; ++j) {
      rows[i][j] = coins.uniform_float() < keep ? rows[i][j] / keep : 0.0F;
    }
  }
}

Rows LowRankWeights::dropped(std::size_t tensor, int first, const Rows& x) {
  if (!drops()) return x;
  const MatrixView copy = take(masked_, x.rows, x.cols);
  for (int i = 0; i < x.rows; ++i) std::copy_n(x[i], x.cols, copy[i]);
  drop(tensor, first, copy);
  pointers_.resize(static_cast<std::size_t>(kChunk));
  return rows_of(copy, pointers_);
}

void LowRankWeights::forward(std::size_t tensor, std::size_t bias, Activation activation,
                             const Rows& x, MatrixView y) {
  const Adapter* a = adapter(tensor);
  if (a == nullptr) return base_->forward(tensor, bias, activation, x, y);
  base_->forward(tensor, bias, Activation::kNone, x, y);
  by_chunks(x.rows, [&](int first, int count) {
    const MatrixView u = inner(*a, dropped(tensor, first, some_rows(x, first, count)));
    kernels::forward_add(rows_between(y, first, count), u, b_of(*a), activation);
  });
}

void LowRankWeights::backward_input(std::size_t tensor, ConstMatrixView dy, ConstMatrixView mask,
                                    MatrixView dx) {
  base_->backward_input(tensor, dy, mask, dx);
  const Adapter* a = adapter(tensor);
  if (a == nullptr) return;
  by_chunks(dy.rows, [&](int first, int count) {
    const MatrixView v = outer(*a, rows_between(dy, first, count));
    const MatrixView out = rows_between(dx, first, count);
    if (drops()) {
      const MatrixView part = take(masked_, count, a->cols);
      kernels::gemm_nt(part, v, a_of(*a));
      drop(tensor, first, part);
      for (int i = 0; i < count; ++i) {
        const std::span<float> row(out[i], static_cast<std::size_t>(a->cols));
        kernels::add(row, row, {part[i], row.size()});
      }
    } else {
      kernels::gemm_nt(out, v, a_of(*a), Output::kAdd);
    }
    if (mask.rows > 0) zero_behind_relu(out, rows_between(mask, first, count));
  });
}

void LowRankWeights::backward_weight(std::size_t tensor, std::size_t, const Rows& x,
                                     ConstMatrixView dy) {
  const Adapter* a = adapter(tensor);
  if (a == nullptr) return;
  by_chunks(x.rows, [&](int first, int count) {
    const Rows rows = dropped(tensor, first, some_rows(x, first, count));
    const ConstMatrixView d = rows_between(dy, first, count);
    if (a->b.trained) {
      const MatrixView g = kernels::dense(slope(a->b), a->rank, a->rows);
      kernels::weight_gradient(g, inner(*a, rows), d, Output::kAdd);
    }
    if (a->a.trained) {
      const MatrixView g = kernels::dense(slope(a->a), a->cols, a->rank);
      kernels::weight_gradient(g, rows, outer(*a, d), Output::kAdd);
    }
  });
}

std::span<const float> LowRankWeights::values(std::size_t tensor) const {
  SKIFF_CHECK(adapter(tensor) == nullptr, "an adapted layer is read as values");
  return base_->values(tensor);
}

void LowRankWeights::clear_gradient() { gradient_.values.assign(parameters_.values.size(), 0.0F); }

void LowRankWeights::begin_step(Stream step) {
  if (dropout_ > 0) step_ = step;
}

void LowRankWeights::update(Vector& out) const {
  if (out.layout != nullptr && out.layout->size != parameters_.values.size()) {
    for (const Slice& s : out.layout->slices) {  // the factors that are sent
      const Slice* own = parameters_.layout->find(s.name);
      SKIFF_CHECK(own != nullptr, "an update of " + s.name);
      kernels::subtract(std::span(out.values).subspan(s.offset, s.size()),
                        std::span(parameters_.values).subspan(own->offset, s.size()),
                        std::span(received_->values).subspan(own->offset, s.size()));
    }
    return;
  }
  out.layout = parameters_.layout;
  out.values.resize(parameters_.values.size());
  kernels::subtract(out.values, parameters_.values, received_->values);
}

}  // namespace skiff
