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

#include "algorithms/models/evaluate_rows.h"
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
  Metrics evaluate(const Predictor& predictor, const Personal& personal = {}) const;
  // Of the widest plan's model.
  Metrics evaluate(const Vector& weights) const;

 private:
  std::unique_ptr<Weights> bind(const Vector& weights) const;
  std::vector<Member> members_of(const Predictor& predictor) const;
  Predictor alone(const Vector& weights) const;
  void add_test_metrics(const Predictor& predictor, Metrics& out) const;
  Evaluation over(const Samples& samples, std::span<const std::uint32_t> rows,
                  const Predictor& predictor) const;
  // Mean training loss over all clients' samples with the l2 term: what training minimises.
  double objective(const Predictor& predictor) const;
  double gradient_norm(const Predictor& predictor) const;
  double macro_f1(const Predictor& predictor) const;
  void add_client_accuracy(const Predictor& predictor, const Personal& personal,
                           Metrics& out) const;
  double l2_term(const Predictor& predictor) const;

  const FederationSetup& setup_;
  std::vector<std::uint32_t> train_rows_, test_rows_;
};

}  // namespace skiff
