// What the server's model is worth: test loss and accuracy, the training objective, its gradient.
//
// Rows are evaluated in blocks of a fixed size, in parallel, and added in order: the same bits for
// any number of threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/federation/setup.h"

namespace skiff {

// The metrics that this data set has what it takes for, and those of its task when a scenario names
// none.
std::vector<std::string> possible_metrics(const FederatedDataset& data);
std::vector<std::string> default_metrics(const FederatedDataset& data);

using Metrics = std::vector<std::pair<std::string, double>>;

class Evaluator {
 public:
  explicit Evaluator(const FederationSetup& setup);

  // Those of setup.evaluation.metrics, in that order.
  // `personal`: the model that a client uses itself, if that is not the server's; may be empty.
  using Personal = std::function<std::optional<Vector>(ClientId)>;
  Metrics evaluate(const Server& server, const Personal& personal = {}) const;
  Metrics evaluate(const Vector& weights, const Personal& personal = {}) const;

 private:
  std::unique_ptr<Weights> bind(const Vector& weights) const;
  void add_test_metrics(const Vector& weights, Metrics& out) const;
  Evaluation over(const Samples& samples, std::span<const std::uint32_t> rows,
                  const Vector& weights) const;
  // Mean training loss over all clients' samples with the l2 term: what training minimises.
  double objective(const Vector& weights) const;
  double gradient_norm(const Vector& weights) const;
  double macro_f1(const Vector& weights) const;
  void add_client_accuracy(const Vector& weights, const Personal& personal, Metrics& out) const;
  double l2_term(const Vector& weights) const;

  const FederationSetup& setup_;
  const Architecture& architecture_;
  std::vector<std::uint32_t> train_rows_, test_rows_;
};

}  // namespace skiff
