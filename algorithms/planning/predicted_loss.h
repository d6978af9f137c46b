// How much the loss grows by what a plan leaves out: a sum over what it is made of.
//
//   bits        by the linearity theorem, sum_l a_l t_l^2 (Malinovskii et al. 2024,
//               arXiv:2411.17525): t_l^2 from the quantizer, a_l measured on the model where it has
//               been trained and the server holds samples; else by the curve below
//   sparsity, rank, optimizer, batch    by curves; checkpointing changes nothing
// Curves are interpolated in a straight line, and flat beyond their ends. The built-in ones were
// measured by this program on a decoder of 260 k parameters: their order carries over, their values
// are that model's. Write your own with `measured`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "algorithms/compressor.h"
#include "algorithms/planner.h"

namespace skiff {

// Growth of the loss, in nats, by the value that a key has.
using LossCurve = std::vector<std::pair<std::string, double>>;

struct MeasuredLoss {
  LossCurve bits, sparsity, rank, optimizer, batch;
};

MeasuredLoss built_in_losses();  // rows by ascending number; optimizers by name

// Of a number on a curve; of a word the row of that name, and the mean of all if there is none.
double on_curve(const LossCurve& curve, const std::string& value);

// Of one choice of each key ({bits: 4, sparsity: 0.6, ...}). `slopes`: a_l by slice, or empty;
// quantizer: of the plan, or null.
double predicted_loss(const Node& choice, const MeasuredLoss& measured, const Layout& layout,
                      const Compressor* quantizer, const std::vector<double>& slopes);

}  // namespace skiff
