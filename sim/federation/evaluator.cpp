#include "sim/federation/evaluator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "algorithms/kernels/reduce.h"
#include "sim/core/distributions.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {

constexpr std::size_t kBlock = 256;  // rows; part of what the sums are

struct MetricName {
  const char* name;
  bool lower_is_better;
};
constexpr std::array kMetrics{
    MetricName{"train_loss", true},           MetricName{"test_loss", true},
    MetricName{"test_accuracy", false},       MetricName{"suboptimality", true},
    MetricName{"gradient_norm", true},        MetricName{"client_accuracy_mean", false},
    MetricName{"client_accuracy_p10", false},
};

std::vector<std::uint32_t> all_rows(const Samples& samples) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

// Row pointers and labels of rows first..last-1.
struct BlockOfRows {
  std::vector<const float*> pointers;
  std::vector<std::int32_t> labels;
  BlockOfRows(const Samples& samples, std::span<const std::uint32_t> rows) {
    for (const std::uint32_t row : rows) {
      pointers.push_back(samples.row(static_cast<int>(row)));
      labels.push_back(samples.labels[row]);
    }
  }
  Batch batch(int width) const {
    return {{pointers.data(), static_cast<int>(pointers.size()), width}, labels};
  }
};

std::span<const std::uint32_t> block(std::span<const std::uint32_t> rows, std::size_t b) {
  const std::size_t first = b * kBlock;
  return rows.subspan(first, std::min(kBlock, rows.size() - first));
}

}  // namespace

bool is_metric(const std::string& name) {
  return std::any_of(kMetrics.begin(), kMetrics.end(),
                     [&](const MetricName& m) { return m.name == name; });
}

bool lower_is_better(const std::string& metric) {
  const auto it = std::find_if(kMetrics.begin(), kMetrics.end(),
                               [&](const MetricName& m) { return m.name == metric; });
  return it != kMetrics.end() && it->lower_is_better;
}

std::vector<std::string> default_metrics(const FederatedDataset& data) {
  if (data.timing_only) return {};
  if (data.test.rows() == 0) return {"train_loss"};
  return {"test_loss", "test_accuracy"};
}

Evaluator::Evaluator(const FederationSetup& setup)
    : setup_(setup),
      train_rows_(setup.data->shards.rows.begin(), setup.data->shards.rows.end()),
      test_rows_(all_rows(setup.data->test)) {
  const auto& limit = setup.evaluation.samples;
  if (limit && static_cast<std::size_t>(*limit) < test_rows_.size()) {
    Stream stream(setup.seed, "evaluation.samples");
    shuffle(stream, std::span(test_rows_));
    test_rows_.resize(static_cast<std::size_t>(*limit));
    std::sort(test_rows_.begin(), test_rows_.end());
  }
}

Evaluation Evaluator::over(const Samples& samples, std::span<const std::uint32_t> rows,
                           const Vector& weights) const {
  const Plan& plan = setup_.composition.global();
  const Architecture& architecture = setup_.composition.architecture(plan);
  const std::size_t blocks = (rows.size() + kBlock - 1) / kBlock;
  std::vector<Evaluation> parts(blocks);
  // One Weights and one Workspace a strip of blocks; how blocks fall into strips changes no bit.
  const std::size_t strips = std::min(blocks, static_cast<std::size_t>(threads()));
  parallel_for(strips, [&](std::size_t s) {
    const auto bound = plan.parametrization->bind(nullptr, weights, Stream(0, "evaluation"), {});
    Workspace workspace;
    for (std::size_t b = s; b < blocks; b += strips) {
      workspace.reset();
      const BlockOfRows part(samples, block(rows, b));
      parts[b] = architecture.evaluate(*bound, part.batch(samples.width), workspace);
    }
  });
  Evaluation total;
  for (const Evaluation& part : parts) {
    total.rows += part.rows;
    total.correct += part.correct;
    total.loss += part.loss;
  }
  return total;
}

double Evaluator::l2_term(const Vector& weights) const {
  const double l2 = setup_.composition.architecture(setup_.composition.global()).l2();
  return l2 == 0 ? 0 : l2 / 2 * kernels::squared_norm_double(weights.values);
}

double Evaluator::objective(const Vector& weights) const {
  const Evaluation all = over(setup_.data->train, train_rows_, weights);
  return all.loss / static_cast<double>(all.rows) + l2_term(weights);
}

double Evaluator::gradient_norm(const Vector& weights) const {
  const Plan& plan = setup_.composition.global();
  const Architecture& architecture = setup_.composition.architecture(plan);
  const std::span<const std::uint32_t> rows(train_rows_);
  const std::size_t blocks = (rows.size() + kBlock - 1) / kBlock;
  std::vector<double> sum(weights.values.size());
  const auto bound = plan.parametrization->bind(nullptr, weights, Stream(0, "evaluation"), {});
  Workspace workspace;
  for (std::size_t b = 0; b < blocks; ++b) {
    workspace.reset();
    bound->clear_gradient();
    const BlockOfRows part(setup_.data->train, block(rows, b));
    architecture.loss_and_gradient(*bound, part.batch(setup_.data->train.width), workspace);
    const double share = static_cast<double>(part.labels.size()) / static_cast<double>(rows.size());
    kernels::axpy(sum, share, bound->gradient().values);
  }
  double square = 0;
  for (const double g : sum) square += g * g;
  return std::sqrt(square);
}

// The mean and the tenth percentile (nearest rank) of accuracy on clients' own held-out samples.
void Evaluator::add_client_accuracy(const Vector& weights, Metrics& out) const {
  std::vector<double> accuracy;
  for (int c = 0; c < setup_.data->clients(); ++c) {
    const auto rows = setup_.data->test_rows_of(c);
    if (rows.empty()) continue;
    const Evaluation own = over(setup_.data->test, rows, weights);
    accuracy.push_back(static_cast<double>(own.correct) / static_cast<double>(own.rows));
  }
  if (accuracy.empty()) return;
  std::sort(accuracy.begin(), accuracy.end());
  double sum = 0;
  for (const double a : accuracy) sum += a;
  const auto rank = static_cast<std::size_t>(std::ceil(0.1 * static_cast<double>(accuracy.size())));
  out.emplace_back("client_accuracy_mean", sum / static_cast<double>(accuracy.size()));
  out.emplace_back("client_accuracy_p10", accuracy[std::max<std::size_t>(rank, 1) - 1]);
}

Metrics Evaluator::evaluate(const Server& server) const {
  const Vector& weights = *setup_.method->predictors(setup_.composition, server)[0].members[0];
  const auto wants = [&](const char* name) {
    const auto& all = setup_.evaluation.metrics;
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  Metrics known;
  if (wants("test_loss") || wants("test_accuracy")) {
    const Evaluation test = over(setup_.data->test, test_rows_, weights);
    known.emplace_back("test_loss", test.loss / static_cast<double>(test.rows));
    known.emplace_back("test_accuracy",
                       static_cast<double>(test.correct) / static_cast<double>(test.rows));
  }
  if (wants("train_loss") || wants("suboptimality")) {
    const double f = objective(weights);
    known.emplace_back("train_loss", f);
    known.emplace_back("suboptimality", f - setup_.evaluation.optimum.value_or(0));
  }
  if (wants("gradient_norm")) known.emplace_back("gradient_norm", gradient_norm(weights));
  if (wants("client_accuracy_mean") || wants("client_accuracy_p10")) {
    add_client_accuracy(weights, known);
  }
  Metrics out;
  for (const std::string& metric : setup_.evaluation.metrics) {
    const auto it =
        std::find_if(known.begin(), known.end(), [&](const auto& m) { return m.first == metric; });
    if (it != known.end()) out.push_back(*it);
  }
  return out;
}

}  // namespace skiff
