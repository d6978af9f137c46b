// How much the loss grows with the relative error of each layer: the slopes a_l of the linearity
// theorem, loss(What) ~ loss(W) + sum_l a_l t_l^2, t_l^2 = |What_l - W_l|^2 / |W_l|^2.
//
// Malinovskii et al. 2024 (arXiv:2411.17525): Gaussian noise of relative size t is added to one
// layer at a time and the slope through the origin is fitted to the growth of the loss. Here each
// noise is also subtracted and the mean taken, so that the gradient's part cancels, and t^2 takes a
// few values spaced evenly in logarithm. To second order a_l = |W_l|^2 tr(H_ll) / (2 d_l).
// Of a masked layer only kept values are disturbed.
#pragma once

#include <vector>

#include "algorithms/calibration.h"
#include "algorithms/model.h"
#include "sim/core/random.h"

namespace skiff {

struct NoiseLevels {
  int count = 3;
  double least = 0.005, most = 0.08;  // t^2
};

std::vector<double> loss_slopes(const Calibration& calibration, const Model& model,
                                const std::vector<std::size_t>& targets, const NoiseLevels& levels,
                                const Stream& stream);

}  // namespace skiff
