// FedDF: Lin, Kong, Stich and Jaggi 2020, "Ensemble distillation for robust model fusion in
// federated learning" (NeurIPS; arXiv:2006.07242), algorithm 1.
//
// Clients do what FedAvg's do. The server starts from FedAvg's mean and teaches it, on its own
// samples and without their labels (`data.server_samples`), what the received models answer
// together: `steps` batches of KL(teacher || student) of softmaxes at `temperature`, without the
// factor T^2, by Adam with a cosine schedule and gradients of norm 5 at most. The teacher, with the
// weights w_k of the mean:
//   avg-logits  softmax(sum_k w_k z_k / T)
//   avg-probs   sum_k w_k softmax(z_k / T)
//   avg-losses  each client's softmax has its own KL, and these are averaged: the same gradient as
//               avg-probs, term by term, so it is computed as such.
// What differs from the authors' code: all clients train one architecture; the steps are all taken,
// where theirs stop when a labelled validation set no longer improves and take the best.
// Cost: FedAvg's on the wire and on the devices; on the server each received model once through its
// samples, and the steps.

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "algorithms/distillation/teaching.h"
#include "algorithms/kernels/exp_double.h"
#include "algorithms/kernels/logit_losses.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "algorithms/models/losses.h"
#include "sim/core/parallel.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct FedDfParams {
  int steps = 0;
  double temperature = 1;
  int batch = 128;
  double learning_rate = 0.001;
  std::string ensemble = "avg-logits";
};

}  // namespace

template <>
Schema<FedDfParams> schema() {
  Schema<FedDfParams> s;
  s.field("steps", &FedDfParams::steps, "batches on which the server's model is taught each round")
      .required()
      .at_least(1);
  s.field("temperature", &FedDfParams::temperature, "of the softmaxes that are compared").above(0);
  s.field("batch", &FedDfParams::batch, "of the server's samples").at_least(1);
  s.field("learning_rate", &FedDfParams::learning_rate, "of the server's Adam, before its cosine")
      .above(0);
  s.field("ensemble", &FedDfParams::ensemble, "what of the received models is averaged")
      .one_of({"avg-logits", "avg-probs", "avg-losses"});
  return s;
}

namespace {

// Divergence from the rows of a table of logits, without T^2.
class FromTable final : public LogitLoss {
 public:
  FromTable(std::span<const float> table, int outputs, double temperature)
      : table_(table), outputs_(outputs), temperature_(temperature) {}
  void choose(std::span<const std::size_t> rows) {
    const auto width = static_cast<std::size_t>(outputs_);
    chosen_.clear();
    for (const std::size_t r : rows) {
      const std::span<const float> row = table_.subspan(r * width, width);
      chosen_.insert(chosen_.end(), row.begin(), row.end());
    }
  }
  double operator()(kernels::MatrixView logits) const override {
    const double square = temperature_ * temperature_, n = logits.rows;
    return kernels::softened_divergence(logits, logits,
                                        kernels::dense(chosen_.data(), logits.rows, outputs_),
                                        temperature_, 1 / (n * square)) /
           (n * square);
  }

 private:
  std::span<const float> table_;
  int outputs_;
  double temperature_;
  std::vector<float> chosen_;
};

class FedDf final : public Distillation {
 public:
  explicit FedDf(FedDfParams params) : p_(std::move(params)) {
    Node adam;
    adam.set("name", Node::scalar("adamw"));
    adam.set("learning_rate", Node::scalar(std::to_string(p_.learning_rate)));
    Node cosine;
    cosine.set("name", Node::scalar("cosine"));
    adam.set("schedule", cosine);
    adam_ = adam;
  }

  void join(Composition& c) const override;
  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    const std::vector<Vector> changes = decode_updates(c, updates, kUpdateSection);
    const Plan& plan = c.global();
    Vector direction(server.models[plan.model].weights.layout);
    plan.parametrization->average(updates, changes, direction);
    State state = server.state;
    apply_server_half(c, server.version, updates.size(), direction, state);
    Server next = advance_with(c, server, direction, std::move(state));
    const std::vector<float> table = teacher(c, updates, changes);
    teach(c, table, Stream(c.seed, "distillation.feddf", static_cast<std::uint64_t>(next.version)),
          next.models[plan.model].weights);
    return next;
  }

 private:
  std::vector<float> teacher(const Composition& c, std::span<const Update> updates,
                             std::span<const Vector> changes) const;
  void teach(const Composition& c, std::span<const float> table, Stream stream,
             Vector& weights) const;

  FedDfParams p_;
  Node adam_;
};

void FedDf::join(Composition& c) const {
  const auto refuse = [](const char* why) { throw std::invalid_argument(why); };
  if (!c.models.front()->learns_logits() || outputs_of(c.models.front()->task()) < 2) {
    refuse(
        "feddf teaches logits of classes, and this model learns labels alone; take mlp, "
        "logistic-regression or cnn on a task of several classes");
  }
  for (const Plan& plan : c.plans) {
    if (!plan.compresses() && plan.parametrization->trains_base()) continue;
    refuse("feddf fuses whole models; remove quantization, pruning and adaptation");
  }
  if (c.server_samples == nullptr || c.server_samples->rows() == 0) {
    refuse("feddf teaches on samples of the server; write data.server_samples");
  }
}

// Logits whose softmax at T is what the students should say, of all of the server's samples.
std::vector<float> FedDf::teacher(const Composition& c, std::span<const Update> updates,
                                  std::span<const Vector> changes) const {
  const Architecture& model = *c.models.front();
  const Samples& samples = *c.server_samples;
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  std::vector<std::vector<float>> said(updates.size());
  parallel_for(updates.size(), [&](std::size_t k) {
    Vector weights = updates[k].base->models[c.global().model].weights;
    kernels::axpy(weights.values, 1.0F, changes[k].values);
    said[k] = distillation::answers(model, weights, samples, rows, true);
  });
  double total = 0;
  for (const Update& u : updates) total += u.weight;
  const int outputs = outputs_of(model.task());
  const bool logits = p_.ensemble == "avg-logits";
  std::vector<double> mean(said.front().size());
  for (std::size_t k = 0; k < updates.size(); ++k) {
    if (!logits) {
      kernels::soften(kernels::dense(said[k].data(), samples.rows(), outputs), p_.temperature);
    }
    kernels::axpy(mean, updates[k].weight / total, said[k]);
  }
  std::vector<float> table(mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    constexpr double kLeast = 1e-30;  // what single precision rounds to 0 has a logarithm too
    table[i] = static_cast<float>(
        logits ? mean[i] : p_.temperature * kernels::log_double(std::max(mean[i], kLeast)));
  }
  return table;
}

void FedDf::teach(const Composition& c, std::span<const float> table, Stream stream,
                  Vector& weights) const {
  constexpr double kClip = 5;
  const Architecture& model = *c.models.front();
  const Samples& samples = *c.server_samples;
  const auto adam = Registry<Optimizer>::instance().make(adam_);
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  FromTable loss(table, outputs_of(model.task()), p_.temperature);
  const auto rate = [&](int step) { return adam->learning_rate(step, p_.steps); };
  distillation::teach(
      model, samples, rows, {p_.steps, p_.batch, kClip, rate},
      [&](std::span<const std::size_t> places) -> const LogitLoss& {
        loss.choose(places);
        return loss;
      },
      *adam, std::move(stream), weights);
}

SKIFF_REGISTER(Distillation, FedDf, FedDfParams,
               {.name = "feddf",
                .summary = "the clients' ensemble teaches the server",
                .paper = "Lin et al. 2020, arXiv:2006.07242",
                .verified = "equal clients leave the student where it is; means of logits and of "
                            "probabilities differ on a known pair; the student comes nearer to "
                            "the ensemble",
                .deviates = "one architecture; all steps are taken, without early stopping on "
                            "labelled samples"});

}  // namespace
}  // namespace skiff
