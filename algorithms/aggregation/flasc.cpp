// FLASC: Kuo et al. 2024, "Federated LoRA with sparse communication" (arXiv:2406.05233).
//
//   P: all that is trained, dense at the server.  M: the k = floor(density_down |P|) entries of
//   greatest magnitude, anew every round.  T_d: the floor(d |P|) greatest of a vector
//   client:  P_i <- P M;  local training, dense;  D_i <- T_up(P_i - P M)
//   server:  g = mean D_i;  P <- AdamW(P, -g), with bias correction
//   evaluated at P M
//
// D_i is taken from the masked point that was received, not from P, which the client never saw. The
// upload's mask does not depend on M. What the download leaves out stays in P. Wire: the codec
// top-k both ways (dense where the density is 1). The mean is weighted as server.weighting says;
// the paper's is uniform. error_feedback keeps what the upload left out on the device (ours).
// Differential privacy: after sparsification D_i is scaled to a norm of at most clip, and normal
// noise of deviation noise x clip / |S| is added to every entry of the mean; the paper's code
// divides by clip, which Adam undoes. Server state: "flasc.m", "flasc.v", float32; "flasc.t".
#include <fmt/format.h>

#include <cmath>

#include "algorithms/federated_method.h"
#include "algorithms/kernels/reduce.h"
#include "algorithms/method_steps.h"
#include "sim/core/distributions.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct FlascParams {
  double density_down = 1, density_up = 1;
  bool error_feedback = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  std::optional<double> clip;
  double noise = 0;
};

std::shared_ptr<const Codec> largest(double density, bool error_feedback) {
  Node map;
  map.set(Codec::kKey, Node::scalar(density < 1 ? "top-k" : "dense"));
  if (density < 1) {
    map.set("density", Node::scalar(fmt::format("{}", density)));
    map.set("error_feedback", Node::scalar(error_feedback ? "true" : "false"));
  }
  return Registry<Codec>::instance().make(map);
}

}  // namespace

template <>
Schema<FlascParams> schema() {
  constexpr const char* kWhy = "by flasc; skiff has no default that changes results";
  Schema<FlascParams> s;
  s.field("density_down", &FlascParams::density_down, "share of the model that is downloaded")
      .required(kWhy)
      .fraction()
      .above(0);
  s.field("density_up", &FlascParams::density_up, "share of the update that is uploaded")
      .required(kWhy)
      .fraction()
      .above(0);
  s.field("error_feedback", &FlascParams::error_feedback,
          "keep on the device what was not sent and add it to the next update")
      .required(kWhy);
  s.field("beta1", &FlascParams::beta1, "share of the first moment that is kept")
      .fraction(0, 0.999999);
  s.field("beta2", &FlascParams::beta2, "share of the second moment that is kept")
      .fraction(0, 0.999999);
  s.field("epsilon", &FlascParams::epsilon, "added to the root of the second moment").above(0);
  s.field("weight_decay", &FlascParams::weight_decay, "of the server's step").at_least(0);
  s.field("clip", &FlascParams::clip, "largest norm of an update").above(0).or_word("none");
  s.field("noise", &FlascParams::noise, "deviation of the noise, in clips").at_least(0);
  s.check([](const FlascParams& p, const Node& map, Reader& reader) {
    const auto blame = [&](const char* key, const char* why) {
      const Reader::Scope scope(reader, key);
      reader.problem(map.find(key)->where, why);
    };
    if (p.noise > 0 && !p.clip)
      blame("noise", "noise hides an update of known size only: add clip");
    if (p.clip && p.error_feedback) {
      blame("error_feedback", "what is kept adds to a later update and breaks the clip's bound");
    }
  });
  return s;
}

namespace {

class Flasc final : public FederatedMethod {
 public:
  explicit Flasc(const FlascParams& p)
      : p_(p),
        down_(largest(p.density_down, false)),
        up_(largest(p.density_up, p.error_feedback)) {}

  void start(const Composition& c, Server& server) const override {
    const std::size_t n = c.update_layout(c.global())->size;
    server.state.array<float>("flasc.m", n);
    server.state.array<float>("flasc.v", n);
    server.state.array<std::int64_t>("flasc.t", 1);
  }

  void client(ClientContext& context) const override {
    // In the first round of a space clients draw P themselves: they mask it themselves.
    const Vector start = masked(context.received());
    context.weights().parameters().values = start.values;
    context.train();
    Vector update(start.layout);
    kernels::subtract(update.values, context.weights().parameters().values, start.values);
    if (p_.clip && kernels::all_finite(update.values)) {
      State none;
      up_->encode(*update.layout, update.values, none, Stream(0, "sparse"));
      const double norm = std::sqrt(kernels::squared_norm_double(update.values));
      if (norm > *p_.clip) {
        kernels::scale(update.values, static_cast<float>(*p_.clip / norm), update.values);
      }
    }
    context.send(kUpdateSection, update);
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    Vector direction = mean_direction(c, server, updates, state);
    add_noise(c, server, updates.size(), direction.values);
    const Plan& plan = c.global();
    const Vector& model = c.adaptation(plan, server).target(server.models[plan.model]);
    const std::size_t n = direction.values.size();
    const std::span<float> m = state.array<float>("flasc.m", n);
    const std::span<float> v = state.array<float>("flasc.v", n);
    const std::int64_t t = ++state.array<std::int64_t>("flasc.t", 1)[0];
    const double correct1 = 1 - std::pow(p_.beta1, static_cast<double>(t));
    const double correct2 = 1 - std::pow(p_.beta2, static_cast<double>(t));
    for (std::size_t j = 0; j < n; ++j) {
      const double g = direction.values[j];
      const double first = p_.beta1 * m[j] + (1 - p_.beta1) * g;
      const double second = p_.beta2 * v[j] + (1 - p_.beta2) * g * g;
      m[j] = static_cast<float>(first);
      v[j] = static_cast<float>(second);
      const double step = first / correct1 / (std::sqrt(second / correct2) + p_.epsilon);
      direction.values[j] =
          static_cast<float>(step - p_.weight_decay * static_cast<double>(model.values[j]));
    }
    return advance_with(c, server, direction, std::move(state));
  }

  std::vector<Predictor> predictors(const Composition& c, const Server& server) const override {
    const Plan& plan = c.global();
    GlobalModel model = server.models[plan.model];
    Vector& target = c.adaptation(plan, server).target(model);
    target = masked(target);
    if (!c.adaptation(plan, server).trains_base()) {
      return {{"global", plan.model, {predicting(c, server, model)}}};
    }
    return {{"global", plan.model, {std::make_shared<const Vector>(std::move(model.weights))}}};
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    return Bytes(static_cast<std::int64_t>(c.update_layout(plan)->size * sizeof(float)));
  }
  bool keeps_moments() const override { return true; }
  bool sets_parameters() const override { return true; }
  std::shared_ptr<const Codec> own_down() const override { return down_; }
  std::shared_ptr<const Codec> own_up() const override { return up_; }

 private:
  Vector masked(Vector v) const {
    if (!kernels::all_finite(v.values)) return v;  // the sender reports it
    State none;
    down_->encode(*v.layout, v.values, none, Stream(0, "mask"));
    return v;
  }
  void add_noise(const Composition& c, const Server& server, std::size_t reports,
                 std::span<float> mean) const {
    if (p_.noise == 0) return;
    Stream draw(c.seed, "flasc.noise", 0, static_cast<std::uint64_t>(server.version));
    const double deviation = p_.noise * *p_.clip / static_cast<double>(reports);
    for (float& x : mean)
      x = static_cast<float>(static_cast<double>(x) + normal(draw, 0, deviation));
  }

  FlascParams p_;
  std::shared_ptr<const Codec> down_, up_;
};

SKIFF_REGISTER(FederatedMethod, Flasc, FlascParams,
               {.name = "flasc",
                .summary = "sparse adapters both ways, dense training",
                .paper = "Kuo et al. 2024, arXiv:2406.05233",
                .verified = "a round on quadratics in double precision, dense and sparse: what is "
                            "masked, what is sent, the point that updates are relative to, "
                            "Adam's first step; evaluated at the mask; the clip's bound and "
                            "the noise's deviation; what error feedback sends later",
                .deviates = "only what the parametrization trains is in P: no unfrozen head",
                .properties = {"server-learning-rate"}});

}  // namespace
}  // namespace skiff
