// What the server's model is worth: test loss and accuracy, the training objective, its gradient.
//
// Rows are evaluated in blocks of a fixed size, in parallel, and added in order: the same bits for
// any number of threads.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/federation/setup.h"

namespace skiff {

// The metrics that this evaluator knows; `lower_is_better` decides what reaching a target means.
bool is_metric(const std::string& name);
bool lower_is_better(const std::string& metric);
// The metrics of a task when a scenario names none.
std::vector<std::string> default_metrics(const FederatedDataset& data);

using Metrics = std::vector<std::pair<std::string, double>>;

class Evaluator {
 public:
  explicit Evaluator(const FederationSetup& setup);

  // Those of setup.evaluation.metrics, in that order.
  Metrics evaluate(const Server& server) const;

 private:
  Evaluation over(const Samples& samples, std::span<const std::uint32_t> rows,
                  const Vector& weights) const;
  // Mean training loss over all clients' samples with the l2 term: what training minimises.
  double objective(const Vector& weights) const;
  double gradient_norm(const Vector& weights) const;
  void add_client_accuracy(const Vector& weights, Metrics& out) const;
  double l2_term(const Vector& weights) const;

  const FederationSetup& setup_;
  std::vector<std::uint32_t> train_rows_, test_rows_;
};

}  // namespace skiff
