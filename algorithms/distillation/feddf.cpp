// FedDF: Lin, Kong, Stich and Jaggi 2020, "Ensemble distillation for robust model fusion in
// federated learning" (NeurIPS; arXiv:2006.07242), algorithms 1 and 3.
//
// Clients do what FedAvg's do; a tier may train an architecture of its own (`planner: {name: tiers,
// plans: {low-end: {model: ...}}}`). The server starts from FedAvg's mean, of each architecture by
// itself (one that nobody reported stays where it was), and teaches each, on its own samples and
// without their labels (`data.server_samples`), what the received models answer
// together: `steps` batches of KL(teacher || student) of softmaxes at `temperature`, without the
// factor T^2, by Adam with a cosine schedule and gradients of norm 5 at most. The teacher, with the
// weights w_k of the mean:
//   avg-logits  softmax(sum_k w_k z_k / T)
//   avg-probs   sum_k w_k softmax(z_k / T)
//   avg-losses  each client's softmax has its own KL, and these are averaged: the same gradient as
//               avg-probs, term by term, so it is computed as such.
// With `validation` that share of the server's samples is held out with its labels: the lessons end
// when their accuracy has not risen for `patience` steps, and the best weights seen are kept. The
// paper always does so; here it is left out unless asked for, since a server need not have labels.
// Test metrics measure the first tier's architecture; the others are recorded by tier.
// Cost: FedAvg's on the wire and on the devices; on the server each received model once through its
// samples, and the steps.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algorithms/distillation/table_loss.h"
#include "algorithms/distillation/teaching.h"
#include "algorithms/kernels/exp_double.h"
#include "algorithms/kernels/logit_losses.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "algorithms/models/evaluate_rows.h"
#include "algorithms/models/full_weights.h"
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
  double validation = 0;
  int patience = 1000;
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
  s.field("validation", &FedDfParams::validation,
          "share of the server's samples whose labels say when to stop; 0: all steps are taken")
      .in(0, 0.9);
  s.field("patience", &FedDfParams::patience, "steps without a better accuracy on these")
      .at_least(1);
  return s;
}

namespace {

// Divergence from the table, without T^2.
class FromTable final : public distillation::TableLoss {
 public:
  FromTable(std::span<const float> table, int outputs, double temperature)
      : TableLoss(table, outputs), temperature_(temperature) {}
  double operator()(kernels::MatrixView logits) const override {
    const double share = 1 / (logits.rows * temperature_ * temperature_);
    return kernels::softened_divergence(logits, logits, target(), temperature_, share) * share;
  }

 private:
  double temperature_;
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
    Server next =
        several(c) ? fused(c, server, updates, changes) : mean(c, server, updates, changes);
    const std::vector<float> table = teacher(c, updates, changes);
    for (const std::size_t m : distillation::trained_models(c)) {
      teach(c, *c.models[m], table,
            Stream(c.seed, "distillation.feddf", static_cast<std::uint64_t>(next.version)),
            next.models[m].weights);
    }
    return next;
  }
  bool mixes_models() const override { return true; }

 private:
  static bool several(const Composition& c) { return distillation::trained_models(c).size() > 1; }
  static Server mean(const Composition& c, const Server& server, std::span<const Update> updates,
                     std::span<const Vector> changes);
  static Server fused(const Composition& c, const Server& server, std::span<const Update> updates,
                      std::span<const Vector> changes);
  std::vector<float> teacher(const Composition& c, std::span<const Update> updates,
                             std::span<const Vector> changes) const;
  void teach(const Composition& c, const Architecture& model, std::span<const float> table,
             Stream stream, Vector& weights) const;

  FedDfParams p_;
  Node adam_;
};

void FedDf::join(Composition& c) const {
  const auto refuse = [](const char* why) { throw std::invalid_argument(why); };
  for (const Plan& plan : c.plans) {
    const Architecture& model = *c.models[plan.model];
    if (!model.learns_logits() || outputs_of(model.task()) < 2) {
      refuse(
          "feddf teaches logits of classes, and this model learns labels alone; take mlp, "
          "logistic-regression or cnn on a task of several classes");
    }
    if (several(c) && plan.up->has_server_half()) {
      refuse("a codec with a server half follows one model; remove it, or the plans' models");
    }
    if (!plan.compresses() && plan.parametrization->trains_base()) continue;
    refuse("feddf fuses whole models; remove quantization, pruning and adaptation");
  }
  if (c.server_samples == nullptr || c.server_samples->rows() == 0) {
    refuse("feddf teaches on samples of the server; write data.server_samples");
  }
}

Server FedDf::mean(const Composition& c, const Server& server, std::span<const Update> updates,
                   std::span<const Vector> changes) {
  const Plan& plan = c.global();
  Vector direction(server.models[plan.model].weights.layout);
  plan.parametrization->average(updates, changes, direction);
  State state = server.state;
  apply_server_half(c, server.version, updates.size(), direction, state);
  return advance_with(c, server, direction, std::move(state));
}

// Each architecture's mean by itself.
Server FedDf::fused(const Composition& c, const Server& server, std::span<const Update> updates,
                    std::span<const Vector> changes) {
  Server next = server;
  ++next.version;
  for (const std::size_t m : distillation::trained_models(c)) {
    std::vector<Update> reports;
    std::vector<Vector> moved;
    for (std::size_t k = 0; k < updates.size(); ++k) {
      if (updates[k].plan->model != m) continue;
      reports.push_back(updates[k]);
      moved.push_back(changes[k]);
    }
    if (reports.empty()) continue;
    Vector& weights = next.models[m].weights;
    Vector direction(weights.layout);
    reports.front().plan->parametrization->average(reports, moved, direction);
    kernels::axpy(weights.values, static_cast<float>(c.server_learning_rate), direction.values);
  }
  return next;
}

// Logits whose softmax at T is what the students should say, of all of the server's samples.
std::vector<float> FedDf::teacher(const Composition& c, std::span<const Update> updates,
                                  std::span<const Vector> changes) const {
  const Samples& samples = *c.server_samples;
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  std::vector<std::vector<float>> said(updates.size());
  parallel_for(updates.size(), [&](std::size_t k) {
    const std::size_t m = updates[k].plan->model;
    Vector weights = updates[k].base->models[m].weights;
    kernels::axpy(weights.values, 1.0F, changes[k].values);
    said[k] = distillation::answers(*c.models[m], weights, samples, rows, true);
  });
  double total = 0;
  for (const Update& u : updates) total += u.weight;
  const int outputs = outputs_of(c.models.front()->task());
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

void FedDf::teach(const Composition& c, const Architecture& model, std::span<const float> table,
                  Stream stream, Vector& weights) const {
  constexpr double kClip = 5;
  constexpr int kLooks = 10;  // within the patience
  const Samples& samples = *c.server_samples;
  const auto adam = Registry<Optimizer>::instance().make(adam_);
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(samples.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  const auto held =
      static_cast<std::size_t>(std::ceil(p_.validation * static_cast<double>(rows.size())));
  const std::span<const std::uint32_t> taught = std::span(rows).first(rows.size() - held);
  const std::span<const std::uint32_t> checked = std::span(rows).last(held);
  FromTable loss(table, outputs_of(model.task()), p_.temperature);
  distillation::Lessons lessons{p_.steps, p_.batch, kClip,
                                [&](int step) { return adam->learning_rate(step, p_.steps); }};
  const auto right = [&](const Vector& w) {
    return evaluate_rows(
               model, [&] { return std::make_unique<FullWeights>(w); }, samples, checked)
        .correct;
  };
  Vector best = weights;
  std::int64_t most = held > 0 ? right(weights) : 0;
  int since = 0;
  if (held > 0) {
    lessons.look_every = std::max(1, p_.patience / kLooks);
    lessons.enough = [&](const Vector& w) {
      const std::int64_t now = right(w);
      since = now > most ? 0 : since + lessons.look_every;
      if (now > most) most = now, best = w;
      return since >= p_.patience;
    };
  }
  distillation::teach(
      model, samples, taught, lessons,
      [&](std::span<const std::size_t> places) -> const LogitLoss& { return loss.at(places); },
      *adam, std::move(stream), weights);
  if (held > 0) weights = std::move(best);
}

SKIFF_REGISTER(Distillation, FedDf, FedDfParams,
               {.name = "feddf",
                .summary = "the clients' ensemble teaches the server",
                .paper = "Lin et al. 2020, arXiv:2006.07242",
                .verified = "equal clients leave the student where it is; means of logits and of "
                            "probabilities differ on a known pair; the student comes nearer to "
                            "the ensemble",
                .deviates = "early stopping on labelled samples only where validation is written"});

}  // namespace
}  // namespace skiff
