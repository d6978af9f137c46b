// A subspace of dense directions, and Adam in it: GaLore's singular vectors (galore.cpp) and
// Flora's random ones (flora.cpp). With P (side x rank): G_C = P^T G, from the factors as (dy P)^T
// x; W -= learning_rate scale P Adam(G_C).
#pragma once

#include <optional>
#include <string>

#include "algorithms/optimizers/projected_params.h"
#include "algorithms/optimizers/subspace.h"

namespace skiff {

enum class Directions : std::uint8_t { kSingular, kRandom };

class DenseSpace final : public Subspace {
 public:
  DenseSpace(const ProjectedParams& params, Directions directions, const Slice& layer);
  void choose(const kernels::Rows& x, kernels::ConstMatrixView dy, Stream stream,
              Scratch& scratch) override;
  void project(kernels::MatrixView out, const kernels::Rows& x, kernels::ConstMatrixView dy,
               kernels::Output output, Scratch& scratch) override;
  void step(std::span<float> w, std::span<const float> g, double learning_rate, State& state,
            Scratch& scratch) override;
  Bytes kept() const override;
  std::span<const float> held_directions() const { return directions_; }

  static int rank_of(const ProjectedParams& params, const Slice& layer);
  static ProjectionCost cost(const ProjectedParams& params, Directions directions,
                             const Slice& layer, std::int64_t rows);

 private:
  // length x rank; drawn into `room` if they are not kept.
  kernels::ConstMatrixView directions(std::span<float> room, std::uint64_t seed) const;
  void find_singular(const kernels::Rows& x, kernels::ConstMatrixView dy);
  // From random directions to others: the mean is read in the new ones, the squares are their mean
  // over the old ones, since all random directions see the same power.
  void transfer(std::span<float> m, std::span<float> v, std::uint64_t before,
                Scratch& scratch) const;
  void add_product(std::span<float> w, kernels::ConstMatrixView p, std::span<const float> z,
                   std::span<float> room) const;
  std::size_t rooms() const { return static_cast<std::size_t>(length_ * rank_); }
  std::size_t drawn() const { return how_ == Directions::kRandom ? rooms() : 0; }
  static std::int64_t room_to_find(int rank, const Slice& layer, std::int64_t rows);

  const ProjectedParams& p_;
  Directions how_;
  std::string name_;
  Side side_;
  Order order_;
  int rows_, cols_, length_, other_, rank_;
  std::vector<float> directions_;  // singular ones
  std::uint64_t seed_ = 0;         // of random ones
};

// For both: the Projection of these directions.
std::shared_ptr<const Projection> dense_projection(const ProjectedParams& params,
                                                   Directions directions);

}  // namespace skiff
