#include "algorithms/optimizers/grass_space.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/column_squares.h"
#include "algorithms/kernels/reduce.h"

namespace skiff {
namespace {

constexpr std::int64_t kFloat = 4;

}  // namespace

Side GrassParams::side_of(const Slice& layer) const {
  if (side == "rows") return Side::kRows;
  return side == "cols" ? Side::kCols : smaller_side(layer);
}
int GrassParams::rank_of(const Slice& layer) const {
  return std::min(rank, length_of(layer, side_of(layer)));
}

GrassSpace::GrassSpace(const GrassParams& params, const Slice& layer)
    : p_(params),
      name_(layer.name),
      side_(params.side_of(layer)),
      order_(layer.order),
      length_(length_of(layer, side_)),
      other_(side_ == Side::kRows ? layer.cols : layer.rows),
      rank_(params.rank_of(layer)) {}

// The gradient's rows, kRowBlock at a time, are formed, measured and forgotten.
void GrassSpace::choose(const kernels::Rows& x, kernels::ConstMatrixView dy, Stream stream,
                        Scratch& scratch) {
  std::vector<double> squares(static_cast<std::size_t>(length_));
  const int most = std::min(x.rows, kChunk);
  const std::span<float> room = scratch.room(static_cast<std::size_t>(kRowBlock * (most + other_)));
  for (int first = 0; first < length_; first += kRowBlock) {
    const int count = std::min(kRowBlock, length_ - first);
    float* rows = room.data() + std::ptrdiff_t{kRowBlock} * most;
    for (int at = 0; at < x.rows; at += kChunk) {
      const int n = std::min(kChunk, x.rows - at);
      const kernels::MatrixView part = kernels::dense(room.data(), n, count);
      for (int b = 0; b < n; ++b) {
        const float* from = (side_ == Side::kRows ? dy[at + b] : x[at + b]) + first;
        std::copy_n(from, count, part[b]);
      }
      const auto output = at == 0 ? kernels::Output::kOverwrite : kernels::Output::kAdd;
      if (side_ == Side::kRows) {
        kernels::weight_gradient(kernels::dense(rows, other_, count), chunk_of(x, at, n), part,
                                 output);
      } else {
        kernels::weight_gradient(kernels::dense(rows, count, other_), part, chunk_of(dy, at, n),
                                 output);
      }
    }
    const std::span<double> out = std::span(squares).subspan(static_cast<std::size_t>(first),
                                                             static_cast<std::size_t>(count));
    if (side_ == Side::kRows) {
      kernels::column_squares(out, kernels::dense(std::as_const(rows), other_, count));
      continue;
    }
    for (int j = 0; j < count; ++j) {
      out[static_cast<std::size_t>(j)] = kernels::squared_norm_double(
          {rows + std::ptrdiff_t{j} * other_, static_cast<std::size_t>(other_)});
    }
  }
  now_ = select_rows(row_selection_of(p_.rows), squares, rank_, stream);
  refreshed_ = true;
}

void GrassSpace::project(kernels::MatrixView out, const kernels::Rows& x,
                         kernels::ConstMatrixView dy, kernels::Output output, Scratch& scratch) {
  const int most = std::min(x.rows, kChunk);
  const std::span<float> room = scratch.room(static_cast<std::size_t>(most * rank_));
  for (int at = 0; at < x.rows; at += kChunk) {
    const int n = std::min(kChunk, x.rows - at);
    const kernels::MatrixView part = kernels::dense(room.data(), n, rank_);
    for (int b = 0; b < n; ++b) {
      const float* from = side_ == Side::kRows ? dy[at + b] : x[at + b];
      float* to = part[b];
      for (std::size_t j = 0; j < now_.rows.size(); ++j) to[j] = now_.rho[j] * from[now_.rows[j]];
    }
    if (side_ == Side::kRows) {
      kernels::weight_gradient(out, chunk_of(x, at, n), part, output);
    } else {
      kernels::weight_gradient(out, part, chunk_of(dy, at, n), output);
    }
    output = kernels::Output::kAdd;
  }
}

GrassSpace::Moments GrassSpace::moments_of(State& state) const {
  const auto n = static_cast<std::size_t>(rank_) * static_cast<std::size_t>(other_);
  const std::size_t ages = p_.ages_by_row() ? static_cast<std::size_t>(rank_) : 1;
  Moments moments{state.array<float>(name_ + "/m", n),
                  state.array<float>(name_ + "/v", n),
                  state.array<std::int64_t>(name_ + "/t", ages),
                  {}};
  if (p_.ages_by_row()) moments.rows = state.array<std::uint32_t>(name_ + "/rows", ages);
  return moments;
}

void GrassSpace::refresh(const Moments& moments) const {
  if (p_.moments == "keep") return;
  if (p_.ages_by_row()) return carry_overlap(moments);
  std::fill(moments.m.begin(), moments.m.end(), 0.0F);
  std::fill(moments.v.begin(), moments.v.end(), 0.0F);
  std::fill(moments.t.begin(), moments.t.end(), 0);
}

// A row that was there keeps its moments and its age, at its new place; of equal ones the first.
// Before the first step all moments and ages are 0, whatever rows they are said to be of.
void GrassSpace::carry_overlap(const Moments& moments) const {
  const std::vector<float> m(moments.m.begin(), moments.m.end());
  const std::vector<float> v(moments.v.begin(), moments.v.end());
  const std::vector<std::int64_t> t(moments.t.begin(), moments.t.end());
  const std::vector<std::uint32_t> before(moments.rows.begin(), moments.rows.end());
  const auto rank = static_cast<std::size_t>(rank_), other = static_cast<std::size_t>(other_);
  const std::size_t row = side_ == Side::kRows ? 1 : other, step = side_ == Side::kRows ? rank : 1;
  std::vector<bool> taken(rank);
  for (std::size_t j = 0; j < rank; ++j) {
    std::size_t old = 0;
    while (old < rank && (taken[old] || before[old] != now_.rows[j])) ++old;
    if (old < rank) taken[old] = true;
    moments.t[j] = old < rank ? t[old] : 0;
    moments.rows[j] = now_.rows[j];
    for (std::size_t i = 0; i < other; ++i) {
      moments.m[j * row + i * step] = old < rank ? m[old * row + i * step] : 0;
      moments.v[j * row + i * step] = old < rank ? v[old * row + i * step] : 0;
    }
  }
}

kernels::AdamStep GrassSpace::adam_of(double learning_rate, float rho, std::int64_t t) const {
  double rate = learning_rate * p_.scale * double{rho};
  if (t < p_.rewarm) rate *= static_cast<double>(t) / p_.rewarm;
  return adam_step_of(p_, rate, t);
}

void GrassSpace::step(std::span<float> w, std::span<const float> g, double learning_rate,
                      State& state, Scratch& scratch) {
  const Moments moments = moments_of(state);
  if (refreshed_) refresh(moments);
  refreshed_ = false;
  for (std::int64_t& t : moments.t) ++t;
  const bool together = (side_ == Side::kRows) == (order_ == Order::kOutIn);
  if (side_ == Side::kCols && together) return step_rows(w, g, learning_rate, moments);
  step_across(w, g, learning_rate, moments, scratch);
}

// Weights and moments of a chosen row lie together.
void GrassSpace::step_rows(std::span<float> w, std::span<const float> g, double learning_rate,
                           const Moments& moments) {
  const auto n = static_cast<std::size_t>(other_);
  for (std::size_t j = 0; j < now_.rows.size(); ++j) {
    const std::int64_t t = moments.t[moments.t.size() == 1 ? 0 : j];
    kernels::adam(w.subspan(now_.rows[j] * n, n), g.subspan(j * n, n), moments.m.subspan(j * n, n),
                  moments.v.subspan(j * n, n), adam_of(learning_rate, now_.rho[j], t));
  }
}

// Steps of the moments' lines, from 0, are handed out to where their weights lie.
void GrassSpace::step_across(std::span<float> w, std::span<const float> g, double learning_rate,
                             const Moments& moments, Scratch& scratch) {
  const auto rank = static_cast<std::size_t>(rank_), other = static_cast<std::size_t>(other_);
  const bool outputs = side_ == Side::kRows;
  // A weight of row r, i-th of the other side.
  const auto place = [&](std::size_t r, std::size_t i) {
    const bool row_first = outputs == (order_ == Order::kOutIn);
    return row_first ? r * other + i : i * static_cast<std::size_t>(length_) + r;
  };
  const auto at = [&](std::size_t j, std::size_t i) {
    return outputs ? i * rank + j : j * other + i;
  };
  if (!p_.ages_by_row() && outputs) {
    const std::span<float> line = scratch.room(rank);
    const kernels::AdamStep adam = adam_of(learning_rate, 1, moments.t[0]);
    for (std::size_t i = 0; i < other; ++i) {
      std::fill(line.begin(), line.end(), 0.0F);
      kernels::adam(line, g.subspan(i * rank, rank), moments.m.subspan(i * rank, rank),
                    moments.v.subspan(i * rank, rank), adam);
      float* first = w.data() + place(0, i);
      const std::size_t apart = place(1, 0), next = i + 1 < other ? place(0, 1) : 0;
      for (std::size_t j = 0; j < rank; ++j) {
        float& x = first[now_.rows[j] * apart];
        __builtin_prefetch(&x + next, 1);  // rows come in no order that a cache foresees
        x += now_.rho[j] * line[j];
      }
    }
    return;
  }
  const std::span<float> room = scratch.room(4 * other);
  const std::span<float> parts[4] = {room.first(other), room.subspan(other, other),
                                     room.subspan(2 * other, other),
                                     room.subspan(3 * other, other)};
  for (std::size_t j = 0; j < rank; ++j) {
    for (std::size_t i = 0; i < other; ++i) {
      parts[0][i] = 0, parts[1][i] = g[at(j, i)];
      parts[2][i] = moments.m[at(j, i)], parts[3][i] = moments.v[at(j, i)];
    }
    kernels::adam(parts[0], parts[1], parts[2], parts[3],
                  adam_of(learning_rate, now_.rho[j], moments.t[moments.t.size() == 1 ? 0 : j]));
    for (std::size_t i = 0; i < other; ++i) {
      w[place(now_.rows[j], i)] += parts[0][i];
      moments.m[at(j, i)] = parts[2][i], moments.v[at(j, i)] = parts[3][i];
    }
  }
}

ProjectionCost GrassSpace::cost(const GrassParams& p, const Slice& layer, std::int64_t rows) {
  const std::int64_t rank = p.rank_of(layer), length = length_of(layer, p.side_of(layer));
  const std::int64_t other = static_cast<std::int64_t>(layer.size()) / length;
  ProjectionCost c;
  c.moments = 2 * kFloat * rank * other + (p.ages_by_row() ? 12 * rank : 8);
  c.kept = 8 * rank;
  // Forming rows to measure them; the norms, in double, with what draws from them; gathering a
  // factor's columns; a line of steps; moments on the move.
  const std::int64_t chunk = chunk_at_most(layer, rows);
  const std::int64_t selecting = 2 * length + select_rows_room(length) + 2 * rank;
  c.scratch = std::max({kRowBlock * (chunk + other) + selecting, chunk * rank, 4 * other});
  if (p.ages_by_row()) c.scratch += 2 * rank * other + 4 * rank;
  c.row_flops = 2.0 * static_cast<double>(rank * other);
  c.step_flops = 12.0 * static_cast<double>(rank * other);
  c.refresh_row_flops = 2.0 * static_cast<double>(length * other);
  c.refresh_flops = 2.0 * static_cast<double>(length * other);
  return c;
}

}  // namespace skiff
