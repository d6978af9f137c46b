#include "algorithms/optimizers/dense_space.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "algorithms/kernels/adam.h"
#include "algorithms/kernels/low_rank_sum.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {

// The rows as a matrix: as they lie, where they lie evenly apart, else gathered in `room`.
kernels::ConstMatrixView matrix_of(const kernels::Rows& x, std::vector<float>& room) {
  const std::ptrdiff_t stride = x.rows > 1 ? x[1] - x[0] : x.cols;
  bool even = std::abs(stride) <= std::numeric_limits<int>::max();
  for (int i = 2; i < x.rows && even; ++i) even = x[i] - x[i - 1] == stride;
  if (even) return {x[0], x.rows, x.cols, static_cast<int>(stride)};
  room.reserve(static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.cols));
  for (int i = 0; i < x.rows; ++i) room.insert(room.end(), x[i], x[i] + x.cols);
  return kernels::dense(std::as_const(room).data(), x.rows, x.cols);
}

}  // namespace

int DenseSpace::rank_of(const ProjectedParams& params, const Slice& layer) {
  return std::min({params.rank, layer.rows, layer.cols});
}

DenseSpace::DenseSpace(const ProjectedParams& params, Directions directions, const Slice& layer)
    : p_(params),
      how_(directions),
      name_(layer.name),
      side_(smaller_side(layer)),
      order_(layer.order),
      rows_(layer.rows),
      cols_(layer.cols),
      length_(length_of(layer, side_)),
      other_(side_ == Side::kRows ? layer.cols : layer.rows),
      rank_(rank_of(params, layer)) {}

void DenseSpace::choose(const kernels::Rows& x, kernels::ConstMatrixView dy, Stream stream,
                        Scratch&) {
  if (how_ == Directions::kSingular) return find_singular(x, dy);
  seed_ = stream.bits64();
}

// Of the sum of the outer products of the factors' rows, which is the gradient.
void DenseSpace::find_singular(const kernels::Rows& x, kernels::ConstMatrixView dy) {
  directions_ = std::vector<float>();
  std::vector<float> gathered;
  const kernels::SingularTriples top = kernels::best_low_rank(rank_, dy, matrix_of(x, gathered));
  gathered = std::vector<float>();
  const std::vector<double>& from = side_ == Side::kRows ? top.left : top.right;
  directions_.assign(rooms(), 0.0F);
  const auto rank = static_cast<std::size_t>(rank_), length = static_cast<std::size_t>(length_);
  for (std::size_t j = 0; j < std::min(rank, from.size() / length); ++j) {
    for (std::size_t i = 0; i < length; ++i) {
      directions_[i * rank + j] = static_cast<float>(from[j * length + i]);
    }
  }
}

kernels::ConstMatrixView DenseSpace::directions(std::span<float> room, std::uint64_t seed) const {
  if (how_ == Directions::kSingular) return kernels::dense(directions_.data(), length_, rank_);
  Stream stream(seed, "flora");
  const double deviation = 1 / std::sqrt(static_cast<double>(rank_));
  for (float& x : room.first(rooms())) x = static_cast<float>(normal(stream, 0, deviation));
  return kernels::dense(std::as_const(room).data(), length_, rank_);
}

void DenseSpace::project(kernels::MatrixView out, const kernels::Rows& x,
                         kernels::ConstMatrixView dy, kernels::Output output, Scratch& scratch) {
  const int most = std::min(x.rows, kChunk);
  const std::size_t part_size = static_cast<std::size_t>(most * rank_);
  const std::span<float> room = scratch.room(drawn() + part_size);
  const kernels::ConstMatrixView p = directions(room, seed_);
  for (int at = 0; at < x.rows; at += kChunk) {
    const int n = std::min(kChunk, x.rows - at);
    const kernels::MatrixView part = kernels::dense(room.data() + drawn(), n, rank_);
    const kernels::Rows inputs = chunk_of(x, at, n);
    const kernels::ConstMatrixView outputs = chunk_of(dy, at, n);
    if (side_ == Side::kRows) {
      kernels::forward(part, outputs, p);
      kernels::weight_gradient(out, inputs, part, output);
    } else {
      kernels::forward(part, inputs, p);
      kernels::weight_gradient(out, part, outputs, output);
    }
    output = kernels::Output::kAdd;
  }
}

void DenseSpace::transfer(std::span<float> m, std::span<float> v, std::uint64_t seed_before,
                          Scratch& scratch) const {
  const auto rank = static_cast<std::size_t>(rank_), other = static_cast<std::size_t>(other_);
  const std::span<float> room = scratch.room(2 * rooms() + rank * rank + m.size());
  const kernels::ConstMatrixView before = directions(room, seed_before);
  const kernels::ConstMatrixView now = directions(room.subspan(rooms()), seed_);
  float* turn = room.data() + 2 * rooms();  // rank (new) x rank (old), or the other way round
  float* old = turn + rank * rank;
  std::copy(m.begin(), m.end(), old);
  const std::size_t line = side_ == Side::kRows ? 1 : other;  // from direction to direction
  const std::size_t step = side_ == Side::kRows ? rank : 1;
  if (side_ == Side::kRows) {
    const kernels::MatrixView t = kernels::dense(turn, rank_, rank_);
    kernels::gemm_tn(t, before, now);
    kernels::gemm_nn(kernels::dense(m.data(), other_, rank_),
                     kernels::dense(std::as_const(old), other_, rank_), t);
  } else {
    const kernels::MatrixView t = kernels::dense(turn, rank_, rank_);
    kernels::gemm_tn(t, now, before);
    kernels::gemm_nn(kernels::dense(m.data(), rank_, other_), t,
                     kernels::dense(std::as_const(old), rank_, other_));
  }
  for (std::size_t i = 0; i < other; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < rank; ++j) sum += double{v[j * line + i * step]};
    const auto mean = static_cast<float>(sum / static_cast<double>(rank));
    for (std::size_t j = 0; j < rank; ++j) v[j * line + i * step] = mean;
  }
}

// w += what the steps z are in the layer.
void DenseSpace::add_product(std::span<float> w, kernels::ConstMatrixView p,
                             std::span<const float> z, std::span<float> room) const {
  const auto add = kernels::Output::kAdd;
  if (order_ == Order::kInOut) {
    const kernels::MatrixView to = kernels::dense(w.data(), cols_, rows_);
    if (side_ == Side::kRows)
      return kernels::gemm_nt(to, kernels::dense(z.data(), cols_, rank_), p, add);
    return kernels::gemm_nn(to, p, kernels::dense(z.data(), rank_, rows_), add);
  }
  const kernels::MatrixView to = kernels::dense(w.data(), rows_, cols_);
  if (side_ == Side::kRows)
    return kernels::gemm_nt(to, p, kernels::dense(z.data(), cols_, rank_), add);
  const kernels::MatrixView turned = kernels::dense(room.data(), rank_, length_);
  kernels::transpose(turned, p);
  kernels::gemm_tn(to, kernels::dense(z.data(), rank_, rows_), turned, add);
}

void DenseSpace::step(std::span<float> w, std::span<const float> g, double learning_rate,
                      State& state, Scratch& scratch) {
  const std::span<float> m = state.array<float>(name_ + "/m", g.size());
  const std::span<float> v = state.array<float>(name_ + "/v", g.size());
  std::int64_t& t = state.array<std::int64_t>(name_ + "/t", 1).front();
  if (how_ == Directions::kRandom) {
    // The directions that the moments are of, whichever round they come from.
    std::uint64_t& seed = state.array<std::uint64_t>(name_ + "/seed", 1).front();
    if (t > 0 && seed != seed_) transfer(m, v, seed, scratch);
    seed = seed_;
  }
  ++t;
  const std::size_t turned = side_ == Side::kCols && order_ == Order::kOutIn ? rooms() : 0;
  const std::span<float> room = scratch.room(drawn() + turned + g.size());
  const std::span<float> z = room.last(g.size());
  std::fill(z.begin(), z.end(), 0.0F);
  kernels::adam(z, g, m, v, adam_step_of(p_, learning_rate * p_.scale, t));
  add_product(w, directions(room, seed_), z, room.subspan(drawn(), turned));
}

Bytes DenseSpace::kept() const {
  if (how_ == Directions::kRandom) return Bytes(sizeof(seed_));
  return Bytes(static_cast<std::int64_t>(directions_.size() * sizeof(float)));
}

// Inputs may have to be gathered; of a dense gradient (subspace.h) there are a side's rows.
std::int64_t DenseSpace::room_to_find(int rank, const Slice& layer, std::int64_t rows) {
  const auto room = [&](std::int64_t terms) {
    return static_cast<std::int64_t>(
        kernels::low_rank_room(rank, static_cast<int>(terms), layer.rows, layer.cols));
  };
  return std::max(rows * layer.cols + room(rows), room(std::max(layer.rows, layer.cols)));
}

ProjectionCost DenseSpace::cost(const ProjectedParams& p, Directions directions, const Slice& layer,
                                std::int64_t rows) {
  const std::int64_t rank = rank_of(p, layer), length = length_of(layer, smaller_side(layer));
  const std::int64_t other = static_cast<std::int64_t>(layer.size()) / length;
  const bool random = directions == Directions::kRandom;
  ProjectionCost c;
  c.moments = 2 * 4 * rank * other + (random ? 16 : 8);
  c.kept = random ? 8 : 4 * length * rank;
  const std::int64_t drawn = random ? length * rank : 0;
  const bool turns = smaller_side(layer) == Side::kCols && layer.order == Order::kOutIn;
  c.scratch = std::max(drawn + chunk_at_most(layer, rows) * rank,
                       drawn + (turns ? length * rank : 0) + rank * other);
  c.scratch = std::max(c.scratch, random ? 2 * drawn + rank * (rank + other)
                                         : room_to_find(static_cast<int>(rank), layer, rows));
  const auto products = static_cast<double>(rank * (length + other));
  const auto draws = random ? 40.0 * static_cast<double>(length * rank) : 0.0;
  c.row_flops = 2 * products;
  c.step_flops = 12.0 * static_cast<double>(rank * other) +
                 2.0 * static_cast<double>(rank) * static_cast<double>(length * other) + 2 * draws;
  // Subspace iteration: some ten products with the factors.
  c.refresh_row_flops = random ? 0 : 40.0 * static_cast<double>((rank + 8) * (length + other));
  c.refresh_flops = random ? 2 * draws : 0;
  return c;
}

namespace {

class DenseProjection final : public Projection {
 public:
  DenseProjection(const ProjectedParams& p, Directions directions) : p_(p), how_(directions) {}
  const LayerTargets& targets() const override { return p_.targets; }
  std::int64_t refresh() const override { return p_.refresh; }
  double weight_decay() const override { return p_.weight_decay; }
  Slice shape(const Slice& s) const override {
    return projected(s, smaller_side(s), DenseSpace::rank_of(p_, s));
  }
  std::unique_ptr<Subspace> make(const Slice& layer) const override {
    return std::make_unique<DenseSpace>(p_, how_, layer);
  }
  ProjectionCost cost(const Slice& layer, std::int64_t rows) const override {
    return DenseSpace::cost(p_, how_, layer, rows);
  }

 private:
  ProjectedParams p_;
  Directions how_;
};

}  // namespace

std::shared_ptr<const Projection> dense_projection(const ProjectedParams& params,
                                                   Directions directions) {
  return std::make_shared<const DenseProjection>(params, directions);
}

}  // namespace skiff
