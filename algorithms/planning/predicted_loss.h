// How much the loss grows by what a plan leaves out: a sum over what it is made of.
//
//   bits      by the linearity theorem, sum_l a_l e_l (Malinovskii et al. 2024, arXiv:2411.17525):
//             e_l what the plan's quantizer did to layer l of the run's own model (seen_errors.h),
//             a_l measured there, where the model has been trained and the server holds samples.
//             Without them each layer's share of a curve of e_l
//   sparsity  the growth that the server's samples show when the pruner has been over the model;
//   the
//             theorem is of small errors and would say three times too much of 80 %. Else by a
//             curve
//   rank, optimizer, batch    by curves; checkpointing changes nothing
// Curves that the user measured (`measured`) come before everything. They are interpolated in a
// straight line, and flat beyond their ends. The built-in ones were measured by this program on a
// decoder of 260 k parameters: their order carries over, their values are that model's.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/models/layout.h"
#include "algorithms/planner.h"

namespace skiff {

// Growth of the loss, in nats, by the value that a key has.
using LossCurve = std::vector<std::pair<std::string, double>>;

struct MeasuredLoss {
  LossCurve bits, sparsity, rank, optimizer, batch;
};

MeasuredLoss built_in_losses();  // rows by ascending number; optimizers by name
// By squared relative error of all layers, beside built_in_losses().bits.
LossCurve built_in_loss_by_error();

// Of a number on a curve; of a word the row of that name, and the mean of all if there is none.
double on_curve(const LossCurve& curve, const std::string& value);
double on_curve(const LossCurve& curve, double value);

// By slice: of a quantizer that leaves these errors. `slopes`: a_l by slice, or empty.
std::vector<double> growth_by_slice(const std::vector<double>& errors,
                                    const std::vector<double>& slopes, const Layout& layout);
// The same of a growth that is known of all layers together: by their numbers of weights.
std::vector<double> shared_growth(double growth, const std::vector<bool>& layers,
                                  const Layout& layout);

// What was found out on the run's own model, in the place of curves; empty: not known.
struct FoundLoss {
  std::optional<double> bits, sparsity;
};
// Of one choice of each key ({bits: 4, sparsity: 0.6, ...}).
double predicted_loss(const Node& choice, const MeasuredLoss& measured, const FoundLoss& found);

}  // namespace skiff
