// Knowledge distillation into one student, `kd`: Hinton, Vinyals and Dean 2015 (arXiv:1503.02531),
// by clients that keep their samples.
//
// The server trains a teacher on its own samples. In the first round each client downloads it once
// and keeps what it answers on the client's samples; from then on FedAvg trains the student on
//   (1 - weight) CE(label, z) + weight T^2 KL(softmax(v / T) || softmax(z / T)).
// Every client must learn the teacher, so all take part in every round.
// Cost: the teacher once down and once through every sample, then FedAvg's; 4 bytes a sample and
// class in flash.

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "algorithms/distillation/teaching.h"
#include "algorithms/kernels/logit_losses.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/kernels/softmax.h"
#include "algorithms/method_steps.h"
#include "algorithms/models/losses.h"
#include "algorithms/prepare.h"
#include "sim/core/registry.h"

namespace skiff {

namespace distillation {

struct KdParams {
  KdParams();  // out of line: inlined, g++ 12 takes its strings for uninitialised
  TeacherParams teacher;
  double weight = 0.5, temperature = 4;
};
[[gnu::noinline]] KdParams::KdParams() = default;

}  // namespace distillation

template <>
Schema<distillation::KdParams> schema() {
  using P = distillation::KdParams;
  Schema<P> s;
  s.field("teacher", &P::teacher, "a map like model: what the student learns to answer")
      .required()
      .choice(ModelFamily::kRole, distillation::teacher_fields());
  s.field("weight", &P::weight, "of the teacher's loss; the labels' has the rest")
      .required()
      .fraction();
  s.field("temperature", &P::temperature, "that softens both sides").required().above(0);
  return s;
}

namespace distillation {
namespace {

const SectionId kTeacherSection = section_id("teacher");

class Mixed final : public LogitLoss {
 public:
  Mixed(std::span<const float> teacher, const Shard& shard, std::size_t classes, double weight,
        double temperature)
      : teacher_(teacher),
        shard_(shard),
        classes_(classes),
        weight_(weight),
        temperature_(temperature) {
    for (std::size_t i = 0; i < shard.rows.size(); ++i) place_[shard.rows[i]] = i;
  }
  const LogitLoss& of(std::span<const std::uint32_t> rows) {
    chosen_.clear();
    labels_.clear();
    for (const std::uint32_t r : rows) {
      const std::span<const float> v = teacher_.subspan(place_.at(r) * classes_, classes_);
      chosen_.insert(chosen_.end(), v.begin(), v.end());
      labels_.push_back(shard_.samples->labels[r]);
    }
    return *this;
  }
  double operator()(kernels::MatrixView z) const override {
    std::vector<float> soft(chosen_.size());
    const kernels::MatrixView d = kernels::dense(soft.data(), z.rows, z.cols);
    const double share = 1.0 / z.rows;
    const double taught = kernels::softened_divergence(
        d, z, kernels::dense(chosen_.data(), z.rows, z.cols), temperature_, weight_ * share);
    const double labelled =
        kernels::softmax_cross_entropy(z, z, labels_, static_cast<float>((1 - weight_) * share));
    for (int i = 0; i < z.rows; ++i) {
      for (int j = 0; j < z.cols; ++j) z[i][j] += d[i][j];
    }
    return share * ((1 - weight_) * labelled + weight_ * taught);
  }

 private:
  std::span<const float> teacher_;
  const Shard& shard_;
  std::size_t classes_;
  double weight_, temperature_;
  std::unordered_map<std::uint32_t, std::size_t> place_;
  std::vector<float> chosen_;
  std::vector<std::int32_t> labels_;
};

class Kd final : public Distillation {
 public:
  explicit Kd(KdParams params) : p_(std::move(params)) {}

  void join(Composition& c) const override {
    require_teachable(c, "kd");
    const TaskShape& task = c.models.front()->task();
    if (task.kind != TaskKind::kClassification || task.is_text()) {
      throw std::invalid_argument("kd compares probabilities of classes, not of text or of one");
    }
    c.models.push_back(p_.teacher.model.object->build(task));
    if (c.server_samples == nullptr || c.server_samples->rows() == 0) {
      throw std::invalid_argument(
          "kd trains its teacher on the server's samples; write data.server_samples");
    }
  }
  void start(const Composition& c, Server& server) const override {
    train_on(*c.models[1], *c.server_samples, p_.teacher.pretrain_epochs, p_.teacher.batch,
             *Registry<Optimizer>::instance().make(p_.teacher.optimizer),
             Stream(c.seed, "distillation.teacher"), server.models[1].weights);
  }
  std::size_t model(const Composition&, const Server& server, const Plan&) const override {
    return teaches(server) ? 1 : 0;
  }
  Exchange exchange(const Composition& c, const Server& server, const Plan& plan, const Shape&,
                    ClientId) const override {
    if (!teaches(server)) return model_for_update(c, server, plan);
    return {{{kTeacherSection, plan.down->bytes(*c.models[1]->layout())}}, {}};
  }
  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId,
                 Message& message) const override {
    if (!teaches(server)) return say_model(c, server, plan, message);
    say(c, server, plan, kTeacherSection, server.models[1].weights, message);
  }
  Vector received(const Composition& c, const Plan& plan, const Message& message) const override {
    const Payload* teacher = message.find(kTeacherSection);
    if (teacher == nullptr) return read_model(c, plan, message);
    return decode_wire(*plan.down, c, plan, nullptr, c.models[1]->layout(), *teacher);
  }
  void client(ClientContext& context) const override {
    const Shard& shard = context.shard();
    const auto classes = static_cast<std::size_t>(outputs_of(context.architecture().task()));
    const std::span<float> kept =
        context.state().array<float>("teacher", shard.rows.size() * classes);
    if (context.message().find(kTeacherSection) != nullptr) {
      const std::vector<float> v =
          answers(context.architecture(), context.received(), *shard.samples, shard.rows, true);
      std::copy(v.begin(), v.end(), kept.begin());
      return;
    }
    Mixed loss(kept, shard, classes, p_.weight, p_.temperature);
    for (std::int64_t s = 0; s < context.steps(); ++s) {
      context.gradient(s, [&](std::span<const std::uint32_t> rows) -> const LogitLoss& {
        return loss.of(rows);
      });
      context.step();
    }
    send_update(context);
  }
  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    if (teaches(server)) {
      Server next = server;
      ++next.version;
      return next;
    }
    State state = server.state;
    const Vector direction = mean_direction(c, server, updates, state);
    return advance_with(c, server, direction, std::move(state));
  }
  std::optional<Cost> phase_cost(const Composition& c, const Server& server, const Plan& plan,
                                 std::int64_t samples, std::int64_t steps) const override {
    const Bytes kept(4 * samples * outputs_of(c.models.front()->task()));
    Cost cost = teaches(server) ? answering_cost(*c.models[1], samples)
                                : client_cost(c, plan, plan.prepared, samples, steps);
    cost.memory.scratch += kept;
    cost.storage = kept + kept;  // the old and the new, while an attempt is under way
    return cost;
  }
  bool keeps_by_sample() const override { return true; }
  bool needs_everyone() const override { return true; }
  bool synchronous() const override { return true; }
  bool says_model_itself() const override { return true; }

 private:
  static bool teaches(const Server& server) { return server.version == 0; }
  KdParams p_;
};

SKIFF_REGISTER(Distillation, Kd, KdParams,
               {.name = "kd",
                .summary = "soft labels of a teacher",
                .paper = "Hinton et al. 2015, arXiv:1503.02531",
                .verified = "gradients against central differences; the limit of high temperature; "
                            "with weight 0 it is FedAvg",
                .properties = {"needs-everyone", "synchronous"}});

}  // namespace
}  // namespace distillation
}  // namespace skiff
