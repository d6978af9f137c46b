// The rows of one layer's gradient that GRASS keeps, and Adam's step on them (grass.cpp).
//
// Moments that are carried over need to know whose they are: their rows lie beside them in the
// State, so that a round that goes on with kept moments is like any other choice of rows.
#pragma once

#include <string>
#include <vector>

#include "algorithms/kernels/adam.h"
#include "algorithms/optimizers/projected_params.h"
#include "algorithms/optimizers/row_selection.h"
#include "algorithms/optimizers/subspace.h"

namespace skiff {

struct GrassParams : ProjectedParams {
  std::string rows = "top-r";
  std::string side = "min";
  std::string moments = "reset";
  int rewarm = 0;

  std::shared_ptr<const Projection> projection() const;
  Side side_of(const Slice& layer) const;
  int rank_of(const Slice& layer) const;  // no more than the side has
  bool ages_by_row() const { return moments == "carry-overlap"; }
};

class GrassSpace final : public Subspace {
 public:
  static constexpr int kRowBlock = 32;  // rows of the gradient that are formed at once

  GrassSpace(const GrassParams& params, const Slice& layer);
  void choose(const kernels::Rows& x, kernels::ConstMatrixView dy, Stream stream,
              Scratch& scratch) override;
  void project(kernels::MatrixView out, const kernels::Rows& x, kernels::ConstMatrixView dy,
               kernels::Output output, Scratch& scratch) override;
  void step(std::span<float> w, std::span<const float> g, double learning_rate, State& state,
            Scratch& scratch) override;
  Bytes kept() const override { return Bytes(static_cast<std::int64_t>(8 * now_.rows.size())); }
  const SelectedRows& selected() const { return now_; }

  static ProjectionCost cost(const GrassParams& params, const Slice& layer, std::int64_t rows);

 private:
  struct Moments {
    std::span<float> m, v;
    std::span<std::int64_t> t;      // one, or one a row
    std::span<std::uint32_t> rows;  // that these are the moments of; only where ages are by row
  };
  Moments moments_of(State& state) const;
  // What becomes of the moments when rows have been chosen.
  void refresh(const Moments& moments) const;
  void carry_overlap(const Moments& moments) const;
  kernels::AdamStep adam_of(double learning_rate, float rho, std::int64_t t) const;
  // By rows that lie together in memory, all alike or one by one.
  void step_rows(std::span<float> w, std::span<const float> g, double rate, const Moments& moments);
  void step_across(std::span<float> w, std::span<const float> g, double rate,
                   const Moments& moments, Scratch& scratch);
  const GrassParams& p_;
  std::string name_;
  Side side_;
  Order order_;
  int length_, other_, rank_;  // of the side that is projected, of the other
  SelectedRows now_;
  bool refreshed_ = false;
};

}  // namespace skiff
