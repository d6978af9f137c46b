// What the loss of the run's own model is predicted to grow by, for each candidate of the planner
// `adaptive`: every quantizer and every pruner of the candidates is run once on the weights that
// the run starts from (algorithms/planning/predicted_loss.h says what becomes of it).
//
// Not measured, but read off the quantizer's own table and the built-in curves: models beyond
// 2^26 / candidates weights, on which that would take minutes. For the event thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "algorithms/calibration.h"
#include "algorithms/planning/adaptive.h"
#include "algorithms/planning/seen_errors.h"
#include "sim/federation/setup.h"
#include "sim/scenario/scenario.h"

namespace skiff {

// Whose values a quantizer replaces, by slice.
std::vector<bool> coded_slices(const Compressor& quantizer, const Shape& before);

class CandidateLosses {
 public:
  // The setup, the scenario and the parameters must outlive it.
  CandidateLosses(const Scenario& scenario, const FederationSetup& setup,
                  const AdaptiveParams& params, const std::vector<Node>& rows);

  // Of a candidate and its plan; `bits` in the place of its quantizer's, if one is given.
  double of(const Node& row, const Plan& plan, std::optional<double> bits = {});
  // Of the quantizers of that plan, by slice of the model; empty where it has none.
  const std::vector<double>& by_slice(const Node& row, const Plan& plan);

 private:
  std::vector<double> slice_growth(const Node& row, const Plan& plan);
  std::vector<double> errors_of(const Plan& plan);
  std::optional<double> pruned_growth(const Node& row, const Plan& plan);
  const std::vector<double>& slopes(const std::vector<bool>& coded);

  const Scenario& scenario_;
  const FederationSetup& setup_;
  const AdaptiveParams& params_;
  LayoutPtr layout_;
  Vector weights_;                            // that the run starts from; empty: not measured
  std::unique_ptr<Calibration> calibration_;  // null: no samples
  bool trained_ = false;                      // the weights are of a stored model
  double before_ = 0;                         // its loss on these samples
  std::unique_ptr<SeenErrors> seen_;
  std::vector<double> slopes_;                          // by slice, of the targets so far
  std::map<std::string, std::vector<double>> by_bits_;  // what bits say -> growth by slice
  std::map<std::string, std::optional<double>> by_sparsity_;
};

}  // namespace skiff
