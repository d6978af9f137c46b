#include "sim/federation/evaluator.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>

#include "algorithms/kernels/reduce.h"
#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
#include "sim/core/distributions.h"
#include "sim/record/rows.h"

namespace skiff {
namespace {

std::vector<std::uint32_t> all_rows(const Samples& samples) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

std::size_t arg_max(std::span<const float> row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> default_metrics(const FederatedDataset& data) {
  if (data.timing_only) return {};
  if (data.test.rows() == 0) return {"train_loss"};
  switch (data.shape.kind) {
    case TaskKind::kNextToken:
      return {"test_loss", "perplexity", "next_token_accuracy"};
    case TaskKind::kMaskedToken:
      return {"test_loss", "masked_accuracy"};
    case TaskKind::kClassification:
    case TaskKind::kBinaryLogistic:
      break;
  }
  return {"test_loss", "test_accuracy"};
}

std::vector<std::string> possible_metrics(const FederatedDataset& data) {
  if (data.timing_only) return {};
  std::vector<std::string> names{"train_loss", "suboptimality", "gradient_norm"};
  if (data.test.rows() > 0) {
    for (std::string& name : default_metrics(data)) names.push_back(std::move(name));
    if (data.shape.kind == TaskKind::kClassification) names.emplace_back("macro_f1");
  }
  if (data.own_tests.clients() > 0) {
    names.emplace_back("client_accuracy_mean");
    names.emplace_back("client_accuracy_p10");
  }
  return names;
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

std::unique_ptr<Weights> Evaluator::bind(const Vector& weights) const {
  return std::make_unique<FullWeights>(weights);
}

std::vector<Member> Evaluator::members_of(const Predictor& p) const {
  std::vector<Member> members;
  for (std::size_t m = 0; m < p.members.size(); ++m) {
    members.push_back({setup_.composition.models[p.model_of(m)].get(), p.members[m].get()});
  }
  return members;
}

Evaluation Evaluator::over(const Samples& samples, std::span<const std::uint32_t> rows,
                           const Predictor& p) const {
  const std::vector<Member> members = members_of(p);
  if (members.size() > 1) return evaluate_together(members, samples, rows);
  return evaluate_rows(
      *members[0].model, [&] { return bind(*members[0].weights); }, samples, rows);
}

// The model is the one whose layout the weights have.
Predictor Evaluator::alone(const Vector& weights) const {
  const auto& models = setup_.composition.models;
  const auto own = std::find_if(models.begin(), models.end(),
                                [&](const auto& m) { return m->layout() == weights.layout; });
  const std::size_t model = own != models.end() ? static_cast<std::size_t>(own - models.begin())
                                                : setup_.composition.global().model;
  return {"", model, {borrowed(weights)}};
}

// Of one model: a mean of logits has no regularised parameters of its own.
double Evaluator::l2_term(const Predictor& p) const {
  const double l2 = setup_.composition.models[p.model_of(0)]->l2();
  if (l2 == 0 || p.members.size() > 1) return 0;
  return l2 / 2 * kernels::squared_norm_double(p.members[0]->values);
}

double Evaluator::objective(const Predictor& p) const {
  const Evaluation all = over(setup_.data->train, train_rows_, p);
  return all.loss / static_cast<double>(all.rows) + l2_term(p);
}

double Evaluator::gradient_norm(const Predictor& p) const {
  if (p.members.size() > 1) return kNotMeasured;
  const Vector& weights = *p.members[0];
  const Architecture& model = *setup_.composition.models[p.model_of(0)];
  const std::span<const std::uint32_t> rows(train_rows_);
  const std::size_t blocks = evaluation_blocks(setup_.data->shape, rows.size());
  std::vector<double> sum(weights.values.size());
  const auto bound = bind(weights);
  Workspace workspace;
  BatchRows part;
  double asked = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    workspace.reset();
    bound->clear_gradient();
    part.gather(setup_.data->train, evaluation_rows(setup_.data->shape, rows, b));
    model.loss_and_gradient(*bound, part.batch(), workspace);
    const auto here = static_cast<double>(predictions(setup_.data->shape, part.batch()));
    kernels::axpy(sum, here, bound->gradient().values);
    asked += here;
  }
  double square = 0;
  for (const double g : sum) square += g / asked * (g / asked);
  return std::sqrt(square);
}

// The mean over the classes of 2 tp / (2 tp + fp + fn) on the test samples; a class that is neither
// there nor ever predicted is left out.
double Evaluator::macro_f1(const Predictor& p) const {
  const std::vector<Member> members = members_of(p);
  const auto classes = static_cast<std::size_t>(setup_.data->shape.classes);
  std::vector<double> hits(classes), there(classes), predicted(classes);
  Workspace workspace;
  BatchRows part;
  std::vector<float> logits;
  const std::span<const std::uint32_t> rows(test_rows_);
  for (std::size_t b = 0; b < evaluation_blocks(setup_.data->shape, rows.size()); ++b) {
    workspace.reset();
    part.gather(setup_.data->test, evaluation_rows(setup_.data->shape, rows, b));
    const Batch batch = part.batch();
    logits.resize(batch.labels.size() * classes);
    predict_together(members, batch, logits, workspace);
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const auto label = static_cast<std::size_t>(batch.labels[i]);
      const std::size_t best = arg_max(std::span(logits).subspan(i * classes, classes));
      ++there[label];
      ++predicted[best];
      if (best == label) ++hits[label];
    }
  }
  double sum = 0, counted = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    if (there[c] + predicted[c] == 0) continue;
    sum += 2 * hits[c] / (there[c] + predicted[c]);
    ++counted;
  }
  return sum / counted;
}

// The mean and the tenth percentile (nearest rank) of accuracy on clients' own held-out samples, of
// the models that they use themselves.
void Evaluator::add_client_accuracy(const Predictor& p, const Personal& personal,
                                    Metrics& out) const {
  std::vector<double> accuracy;
  for (int c = 0; c < setup_.data->clients(); ++c) {
    const auto rows = setup_.data->test_rows_of(c);
    if (rows.empty()) continue;
    const auto mine = personal ? personal(static_cast<ClientId>(c)) : std::nullopt;
    const Evaluation own = over(setup_.data->test, rows, mine ? alone(*mine) : p);
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

// Loss and share of right answers on the test samples, under the names that the task gives them.
void Evaluator::add_test_metrics(const Predictor& p, Metrics& out) const {
  const Evaluation test = over(setup_.data->test, test_rows_, p);
  const double loss = test.loss / static_cast<double>(test.rows);
  out.emplace_back("test_loss", loss);
  out.emplace_back("perplexity", std::exp(loss));
  const double share = static_cast<double>(test.correct) / static_cast<double>(test.rows);
  for (const char* name : {"test_accuracy", "next_token_accuracy", "masked_accuracy"}) {
    out.emplace_back(name, share);
  }
}

Metrics Evaluator::evaluate(const Server& server, const Personal& personal) const {
  return evaluate(setup_.method->predictors(setup_.composition, server)[0], personal);
}

Metrics Evaluator::evaluate(const Vector& weights) const { return evaluate(alone(weights)); }

Metrics Evaluator::evaluate(const Predictor& p, const Personal& personal) const {
  const std::vector<std::string>& metrics = setup_.evaluation.metrics;
  const auto wants = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](const char* n) { return contains(metrics, n); });
  };
  Metrics known;
  if (wants(
          {"test_loss", "perplexity", "test_accuracy", "next_token_accuracy", "masked_accuracy"})) {
    add_test_metrics(p, known);
  }
  if (wants({"train_loss", "suboptimality"})) {
    const double f = objective(p);
    known.emplace_back("train_loss", f);
    known.emplace_back("suboptimality", f - setup_.evaluation.optimum.value_or(0));
  }
  if (wants({"gradient_norm"})) known.emplace_back("gradient_norm", gradient_norm(p));
  if (wants({"macro_f1"})) known.emplace_back("macro_f1", macro_f1(p));
  if (wants({"client_accuracy_mean", "client_accuracy_p10"}))
    add_client_accuracy(p, personal, known);
  Metrics out;
  for (const std::string& metric : metrics) {
    const auto it =
        std::find_if(known.begin(), known.end(), [&](const auto& m) { return m.first == metric; });
    SKIFF_CHECK(it != known.end(), "nobody measures " + metric);
    out.push_back(*it);
  }
  return out;
}

}  // namespace skiff
